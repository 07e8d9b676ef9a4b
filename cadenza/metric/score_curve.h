#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cadenza/metric/metric.h"

namespace cadenza {

/// Everything that threshold metrics need to know about labelled scores, from one sort.
///
/// An item is called anomalous where its score is at least the threshold. The curve keeps one point
/// for each distinct score of an anomalous item; between two of them only false positives grow, so
/// the points are the corners of the ROC curve and hold every maximum of precision, F1 and
/// accuracy. Equal scores form one step: no order among them is invented.
///
/// Life     made whole by a factory; then read-only.
/// Threads  const calls at once.
class ScoreCurve {
 public:
  struct Point {
    double threshold = 0;
    std::int64_t true_positives = 0;
    std::int64_t false_positives = 0;
    std::int64_t false_positives_above = 0;  ///< those whose score is larger than the threshold
  };

  /// `what` names the items in reasons and errors: "images", "pixels".
  /// Errors   kInvalidArgument: lengths differ. kNumeric: a score that is not finite.
  /// Cost     O(n log n) time, O(n) extra memory.
  static ScoreCurve of(std::span<const double> scores, std::span<const std::uint8_t> is_anomalous,
                       std::string what = "images");

  /// For those who have ranked already. `points` by falling threshold, counts never falling.
  ScoreCurve(std::vector<Point> points, std::int64_t n_anomalous, std::int64_t n_normal,
             std::string what);

  std::span<const Point> points() const noexcept { return points_; }
  std::int64_t n_anomalous() const noexcept { return n_anomalous_; }
  std::int64_t n_normal() const noexcept { return n_normal_; }

  /// Area under the ROC curve: the share of (anomalous, normal) pairs in the right order, a tie
  /// counting half. Undefined without both kinds.
  Metric auroc() const;

  /// Sum over distinct scores, highest first, of (R_n - R_{n-1}) * P_n: no interpolation.
  /// Undefined without anomalous items.
  /// Source   scikit-learn's average_precision_score.
  Metric average_precision() const;

  /// Area under straight lines between the points of the precision-recall curve, begun at recall 0,
  /// precision 1. Optimistic; only for comparison with papers that used it.
  /// Source   scikit-learn's auc(recall, precision) over precision_recall_curve.
  Metric precision_recall_trapezoid() const;

  /// Largest F1 = 2 TP / (2 TP + FP + FN) over all thresholds. Undefined without anomalous items.
  Metric f1_max() const;
  /// The highest threshold that reaches f1_max(). Needs an anomalous item, else kInvalidArgument.
  double f1_max_threshold() const;

  /// Largest share of right calls over all thresholds, chosen on these very labels: an oracle, to
  /// be printed as one. Undefined without items.
  Metric best_accuracy() const;

 private:
  std::vector<Point> points_;
  std::int64_t n_anomalous_ = 0, n_normal_ = 0;
  std::string what_;
};

/// A corner of a curve in the unit square, for drawing.
struct CurvePoint {
  double x = 0, y = 0;
};

/// Corners (false positive rate, true positive rate) from (0, 0) to (1, 1). Empty where the AUROC
/// is undefined.
std::vector<CurvePoint> roc_points(const ScoreCurve& curve);

/// Share of items on the right side when those scoring more than `threshold` are called anomalous.
/// Errors as ScoreCurve::of(). Undefined without items.
Metric accuracy_at(std::span<const double> scores, std::span<const std::uint8_t> is_anomalous,
                   double threshold);

}  // namespace cadenza
