#include "cadenza/metric/score_history.h"

#include <algorithm>
#include <cmath>

#include "cadenza/base/error.h"

namespace cadenza {

void ScoreHistory::add(std::span<const float> scores) {
  if (n_readings_ == 0) sum_.assign(scores.size(), 0);
  CADENZA_REQUIRE(scores.size() == sum_.size(), ErrorCode::kInvalidArgument, "scores: expected ",
                  sum_.size(), " as before, got ", scores.size());
  ++n_readings_;
  if (scores.empty()) return;
  const bool is_finite = std::ranges::all_of(scores, [](float s) { return std::isfinite(s); });
  CADENZA_REQUIRE(is_finite, ErrorCode::kNumeric, "scores: one is not finite");
  const auto [low, high] = std::ranges::minmax(scores);
  if (low == high) return;
  for (std::size_t item = 0; item < scores.size(); ++item) {
    sum_[item] += (scores[item] - low) / (high - low);
  }
}

std::vector<float> ScoreHistory::mean() const {
  auto mean = sum_;
  for (auto& value : mean) value /= static_cast<float>(std::max(n_readings_, 1));
  return mean;
}

}  // namespace cadenza
