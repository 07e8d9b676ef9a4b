#include "cadenza/metric/oracle_accuracy.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "cadenza/base/error.h"
#include "cadenza/metric/score_curve.h"

namespace cadenza {

double quantile(std::span<const double> values, double share) {
  CADENZA_REQUIRE(!values.empty() && 0 <= share && share <= 1, ErrorCode::kInvalidArgument,
                  "quantile: expected values and a share in [0, 1], got ", values.size(), " and ",
                  share);
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  const double rank = share * double(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(rank);
  const auto above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (rank - std::floor(rank)) * (sorted[above] - sorted[below]);
}

OracleAccuracy percentile_accuracy(std::span<const double> scores,
                                   std::span<const std::uint8_t> is_anomalous) {
  OracleAccuracy best{.accuracy = accuracy_at(scores, is_anomalous, 0)};
  if (!best.accuracy.value) return best;
  best.threshold = quantile(scores, 0.5);
  double highest = 0;
  for (const auto percent : {1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99}) {
    const double threshold = quantile(scores, percent / 100.);
    const double found = accuracy_at(scores, is_anomalous, threshold).value.value();
    if (found <= highest) continue;
    highest = found;
    best.threshold = threshold;
  }
  best.accuracy = Metric::of(highest);
  return best;
}

}  // namespace cadenza
