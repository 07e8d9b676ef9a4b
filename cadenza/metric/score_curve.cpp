#include "cadenza/metric/score_curve.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "cadenza/base/error.h"

namespace cadenza {
namespace {

double real(std::int64_t count) { return static_cast<double>(count); }

void require_labelled(std::span<const double> scores, std::span<const std::uint8_t> is_anomalous,
                      const std::string& what) {
  CADENZA_REQUIRE(scores.size() == is_anomalous.size(), ErrorCode::kInvalidArgument, "scores of ",
                  what, ": expected as many labels as scores, found ", scores.size(),
                  " scores and ", is_anomalous.size(), " labels");
  for (std::size_t index = 0; index < scores.size(); ++index) {
    CADENZA_REQUIRE(std::isfinite(scores[index]), ErrorCode::kNumeric, "scores of ", what,
                    ": score ", index, " is ", scores[index], ", expected a finite number");
  }
}

}  // namespace

ScoreCurve::ScoreCurve(std::vector<Point> points, std::int64_t n_anomalous, std::int64_t n_normal,
                       std::string what)
    : points_(std::move(points)),
      n_anomalous_(n_anomalous),
      n_normal_(n_normal),
      what_(std::move(what)) {
  CADENZA_DCHECK(points_.empty() == (n_anomalous_ == 0));
  CADENZA_DCHECK(points_.empty() || points_.back().true_positives == n_anomalous_);
}

ScoreCurve ScoreCurve::of(std::span<const double> scores,
                          std::span<const std::uint8_t> is_anomalous, std::string what) {
  require_labelled(scores, is_anomalous, what);
  std::vector<double> anomalous, normal;
  for (std::size_t index = 0; index < scores.size(); ++index) {
    (is_anomalous[index] != 0 ? anomalous : normal).push_back(scores[index]);
  }
  std::ranges::sort(anomalous, std::greater());
  std::ranges::sort(normal, std::greater());

  std::vector<Point> points;
  auto next_normal = normal.begin();
  for (auto next = anomalous.begin(); next != anomalous.end();) {
    Point point{.threshold = *next};
    next = std::upper_bound(next, anomalous.end(), point.threshold, std::greater());
    next_normal = std::lower_bound(next_normal, normal.end(), point.threshold, std::greater());
    point.false_positives_above = next_normal - normal.begin();
    next_normal = std::upper_bound(next_normal, normal.end(), point.threshold, std::greater());
    point.false_positives = next_normal - normal.begin();
    point.true_positives = next - anomalous.begin();
    points.push_back(point);
  }
  return {std::move(points), std::ssize(anomalous), std::ssize(normal), std::move(what)};
}

Metric ScoreCurve::auroc() const {
  if (n_anomalous_ == 0) return Metric::undefined("no anomalous " + what_);
  if (n_normal_ == 0) return Metric::undefined("no normal " + what_);
  double pairs = 0;  // whole and half numbers: exact up to 2^52
  std::int64_t found = 0;
  for (const auto& point : points_) {
    const auto below = real(n_normal_ - point.false_positives);
    const auto equal = real(point.false_positives - point.false_positives_above);
    pairs += real(point.true_positives - found) * (below + equal / 2);
    found = point.true_positives;
  }
  return Metric::of(pairs / real(n_anomalous_) / real(n_normal_));
}

Metric ScoreCurve::average_precision() const {
  if (n_anomalous_ == 0) return Metric::undefined("no anomalous " + what_);
  double sum = 0;
  std::int64_t found = 0;
  for (const auto& point : points_) {
    const auto precision =
        real(point.true_positives) / real(point.true_positives + point.false_positives);
    sum += real(point.true_positives - found) * precision;
    found = point.true_positives;
  }
  return Metric::of(sum / real(n_anomalous_));
}

Metric ScoreCurve::precision_recall_trapezoid() const {
  if (n_anomalous_ == 0) return Metric::undefined("no anomalous " + what_);
  double area = 0, last_recall = 0, last_precision = 1;
  for (const auto& point : points_) {
    // Normals between two anomalous scores lower the precision at the same recall.
    const auto before = last_recall * real(n_anomalous_);
    if (before > 0) last_precision = before / (before + real(point.false_positives_above));
    if (before == 0 && point.false_positives_above > 0) last_precision = 0;
    const auto recall = real(point.true_positives) / real(n_anomalous_);
    const auto precision =
        real(point.true_positives) / real(point.true_positives + point.false_positives);
    area += (recall - last_recall) * (precision + last_precision) / 2;
    last_recall = recall;
    last_precision = precision;
  }
  return Metric::of(area);
}

Metric ScoreCurve::f1_max() const {
  if (n_anomalous_ == 0) return Metric::undefined("no anomalous " + what_);
  double best = 0;
  for (const auto& point : points_) {
    const auto called = real(point.true_positives + point.false_positives);
    best = std::max(best, 2 * real(point.true_positives) / (called + real(n_anomalous_)));
  }
  return Metric::of(best);
}

double ScoreCurve::f1_max_threshold() const {
  const auto best = f1_max();
  CADENZA_REQUIRE(best.value, ErrorCode::kInvalidArgument, "threshold of F1-max: ", best.reason);
  const auto reaches = [&](const Point& point) {
    const auto called = real(point.true_positives + point.false_positives);
    return 2 * real(point.true_positives) / (called + real(n_anomalous_)) >= *best.value;
  };
  return std::ranges::find_if(points_, reaches)->threshold;
}

Metric ScoreCurve::best_accuracy() const {
  const auto n = n_anomalous_ + n_normal_;
  if (n == 0) return Metric::undefined("no " + what_);
  auto best = n_normal_;  // nothing is called anomalous
  for (const auto& point : points_) {
    best = std::max(best, point.true_positives + n_normal_ - point.false_positives);
  }
  return Metric::of(real(best) / real(n));
}

std::vector<CurvePoint> roc_points(const ScoreCurve& curve) {
  if (!curve.auroc().value) return {};
  std::vector<CurvePoint> corners = {{0, 0}};
  double found = 0;
  const auto add = [&](std::int64_t n_false, double true_rate) {
    corners.push_back({real(n_false) / real(curve.n_normal()), true_rate});
  };
  for (const auto& point : curve.points()) {
    add(point.false_positives_above, found);
    found = real(point.true_positives) / real(curve.n_anomalous());
    add(point.false_positives, found);
  }
  corners.push_back({1, 1});
  return corners;
}

Metric accuracy_at(std::span<const double> scores, std::span<const std::uint8_t> is_anomalous,
                   double threshold) {
  require_labelled(scores, is_anomalous, "images");
  if (scores.empty()) return Metric::undefined("no images");
  std::int64_t right = 0;
  for (std::size_t index = 0; index < scores.size(); ++index) {
    right += (scores[index] > threshold) == (is_anomalous[index] != 0);
  }
  return Metric::of(real(right) / real(std::ssize(scores)));
}

}  // namespace cadenza
