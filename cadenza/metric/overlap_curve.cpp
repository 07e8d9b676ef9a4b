#include "cadenza/metric/overlap_curve.h"

#include <algorithm>
#include <utility>

#include "cadenza/base/error.h"

namespace cadenza {
namespace {

/// Area under the polyline between x = 0 and `limit`, over `limit`; x never falls.
double area_under(std::span<const CurvePoint> corners, double limit) {
  double area = 0;
  for (std::size_t index = 1; index < corners.size(); ++index) {
    const auto& left = corners[index - 1];
    auto right = corners[index];
    if (right.x > limit) {
      right.y = left.y + (right.y - left.y) * (limit - left.x) / (right.x - left.x);
      right.x = limit;
    }
    area += (right.x - left.x) * (left.y + right.y) / 2;
    if (corners[index].x > limit) break;
  }
  return area / limit;
}

}  // namespace

OverlapCurve::OverlapCurve(std::vector<Point> points, std::int64_t n_regions,
                           std::int64_t n_outside)
    : points_(std::move(points)), n_regions_(n_regions), n_outside_(n_outside) {}

Metric OverlapCurve::why_undefined(double limit) const {
  CADENZA_REQUIRE(limit > 0 && limit <= 1, ErrorCode::kInvalidArgument,
                  "limit of the false positive rate: expected within (0, 1], found ", limit);
  if (n_regions_ == 0) return Metric::undefined("no anomalous regions");
  if (n_outside_ == 0) return Metric::undefined("no pixels outside the anomalous regions");
  return Metric::of(0);
}

std::vector<CurvePoint> OverlapCurve::corners() const {
  if (n_regions_ == 0 || n_outside_ == 0) return {};
  const auto n = static_cast<double>(n_outside_);
  std::vector<CurvePoint> corners = {{0, 0}};
  corners.reserve(2 * points_.size() + 2);
  for (const auto& point : points_) {
    const auto found = corners.back().y;
    corners.push_back({static_cast<double>(point.false_positives_above) / n, found});
    corners.push_back({static_cast<double>(point.false_positives) / n, point.overlap});
  }
  corners.push_back({1, corners.back().y});
  return corners;
}

Metric OverlapCurve::area(double limit) const {
  if (auto reason = why_undefined(limit); !reason.value) return reason;
  // Sums of many 1 / area round: a full overlap must not exceed 1.
  return Metric::of(std::min(area_under(corners(), limit), 1.0));
}

Metric OverlapCurve::area_from_101_points(double limit) const {
  if (auto reason = why_undefined(limit); !reason.value) return reason;
  constexpr std::int64_t kThresholds = 100;
  std::vector<CurvePoint> corners;
  auto next = points_.begin();
  double overlap = 0;
  for (auto threshold = kThresholds - 1; threshold >= 0; --threshold) {
    const auto rank = threshold * (n_outside_ - 1) / (kThresholds - 1);  // from below
    const auto n_above = n_outside_ - 1 - rank;  // the pixel of that rank counts as not called
    while (next != points_.end() && next->false_positives <= n_above) overlap = (next++)->overlap;
    corners.push_back({static_cast<double>(n_above) / static_cast<double>(n_outside_), overlap});
  }
  corners.push_back({1, 1});
  return Metric::of(area_under(corners, limit));
}

}  // namespace cadenza
