// golden.inctrl.8.6-metric (specs/inctrl.md 8.6, vectors/inctrl_golden.json "metrics").

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "cadenza/metric/score_curve.h"

namespace cadenza {
namespace {

TEST(V8_6_metric, ToyVector) {
  const std::vector<double> scores = {0.1, 0.4, 0.35, 0.8, 0.4, 0.4, 0.2, 0.9};
  const std::vector<std::uint8_t> labels = {0, 0, 1, 1, 0, 1, 0, 1};
  const auto curve = ScoreCurve::of(scores, labels);
  EXPECT_DOUBLE_EQ(curve.auroc().value.value(), 0.8125);
  EXPECT_DOUBLE_EQ(curve.average_precision().value.value(), 0.8166666666666667);
  EXPECT_DOUBLE_EQ(curve.precision_recall_trapezoid().value.value(), 0.8583333333333333);
}

}  // namespace
}  // namespace cadenza
