#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "cadenza/base/progress.h"

namespace cadenza {

/// Images that a run learns from and judges, step by step and seed by seed.
struct RunWork {
  std::int64_t n_learned = 0, n_judged = 0;
};

/// Says with each phase of a run in which step it stands and, once a step is done, how long the
/// rest may take at the pace so far.
class RunProgress final : public Progress {
 public:
  /// `all` is the work of the whole run. Borrows `inner`, which outlives this.
  RunProgress(Progress& inner, RunWork all) : inner_(inner), left_(all) {}

  /// A part of the work begins ("step 2 of 4"); done() when it is through.
  void enter(std::string place, RunWork part);
  void done();
  /// A part that an earlier process did.
  void skip(RunWork part);
  /// At the pace of what was done; 0 while that is unknown.
  double seconds_left() const;

  void begin(std::string_view phase, std::int64_t total) override;
  void advance(std::int64_t n_units) override { inner_.advance(n_units); }
  void end() override { inner_.end(); }
  void warn(std::string_view message) override { inner_.warn(message); }
  void note(std::string_view message) override { inner_.note(message); }

 private:
  struct Pace {
    double seconds = 0;
    std::int64_t n_images = 0;
  };

  Progress& inner_;
  RunWork left_, part_;
  std::string place_;
  std::chrono::steady_clock::time_point start_;
  Pace learning_, judging_;
};

}  // namespace cadenza
