#pragma once

#include <cstdint>
#include <span>

#include "cadenza/metric/metric.h"

namespace cadenza {

/// The best share of right calls over thresholds at the percentiles 1, 5, 10, 20, ..., 90, 95, 99
/// of the very scores that are judged (straight lines between ranks), an item being anomalous above
/// the threshold. Chosen on the labels: an oracle, to be printed as one. Errors   kInvalidArgument:
/// lengths differ. Undefined without items. Source   the accuracy of several continual-learning
/// programs (dne_cl specification, section 4);
///          ScoreCurve::best_accuracy() is the same over all thresholds.
struct OracleAccuracy {
  Metric accuracy;
  double threshold = 0;
};
OracleAccuracy percentile_accuracy(std::span<const double> scores,
                                   std::span<const std::uint8_t> is_anomalous);

/// The `share` quantile (0 to 1) of values, straight lines between ranks. Errors: kInvalidArgument.
double quantile(std::span<const double> values, double share);

}  // namespace cadenza
