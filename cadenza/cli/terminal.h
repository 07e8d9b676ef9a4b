#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

#include "cadenza/base/progress.h"

namespace cadenza {

/// Whether a person reads what goes to this descriptor.
bool is_terminal(int descriptor) noexcept;

enum class Loudness { kQuiet, kNormal, kVerbose };

/// Progress on standard error: a bar with the time left on a terminal, a line a phase elsewhere,
/// warnings alone when quiet.
class Terminal : public Progress {
 public:
  explicit Terminal(Loudness loudness);
  ~Terminal() override;
  void begin(std::string_view phase, std::int64_t total) override;
  void advance(std::int64_t n_units) override;
  void end() override;
  void warn(std::string_view message) override;
  void note(std::string_view message) override;

 private:
  using Clock = std::chrono::steady_clock;
  void draw();
  void finish_phase();
  void erase_bar();

  const Loudness loudness_;
  const bool has_bar_;
  std::mutex mutex_;
  std::string phase_;
  std::int64_t total_ = 0, done_ = 0;
  Clock::time_point start_, last_drawn_;
  bool is_drawn_ = false;
};

}  // namespace cadenza
