#pragma once

#include <array>
#include <chrono>
#include <string>
#include <string_view>

namespace cadenza {

enum class Stage { kDecode, kPreprocess, kNetwork, kScore, kRender };
inline constexpr std::array<std::string_view, 5> kStageNames = {"decode", "preprocess", "network",
                                                                "score", "render"};

/// Milliseconds that one image spent in each stage. Pass it down; a stage adds its share.
class StageClock {
 public:
  /// Adds the time from construction to destruction to one stage. A null clock costs nothing.
  class Span {
   public:
    Span(StageClock* clock, Stage stage) : clock_(clock), stage_(stage) {
      if (clock_ != nullptr) start_ = std::chrono::steady_clock::now();
    }
    ~Span() {
      if (clock_ != nullptr) clock_->add(stage_, std::chrono::steady_clock::now() - start_);
    }
    Span(const Span&) = delete;
    Span& operator=(const Span&) = delete;

   private:
    StageClock* clock_;
    Stage stage_;
    std::chrono::steady_clock::time_point start_;
  };

  void add(Stage stage, std::chrono::steady_clock::duration time) {
    milliseconds_[static_cast<std::size_t>(stage)] +=
        std::chrono::duration<double, std::milli>(time).count();
  }
  double milliseconds(Stage stage) const { return milliseconds_[static_cast<std::size_t>(stage)]; }

 private:
  std::array<double, kStageNames.size()> milliseconds_{};
};

/// Now, in UTC, as 2026-01-01T00:00:00Z.
std::string utc_timestamp();

}  // namespace cadenza
