#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cadenza/metric/metric.h"
#include "cadenza/metric/score_curve.h"

namespace cadenza {

/// How much of the true regions is found (mean over regions, each counting the same whatever its
/// size) against how many of the pixels outside all regions are called anomalous.
///
/// The curve runs straight between its corners: one point for each distinct score inside a region.
class OverlapCurve {
 public:
  struct Point {
    double threshold = 0;                    ///< pixels scoring at least this are called anomalous
    double overlap = 0;                      ///< mean over regions, in [0, 1]
    std::int64_t false_positives = 0;        ///< pixels outside that score at least the threshold
    std::int64_t false_positives_above = 0;  ///< those that score more
  };

  OverlapCurve(std::vector<Point> points, std::int64_t n_regions, std::int64_t n_outside);

  std::span<const Point> points() const noexcept { return points_; }
  std::int64_t n_regions() const noexcept { return n_regions_; }

  /// AUPRO (AU-sPRO where regions saturate): area under the curve up to a false positive rate of
  /// `limit`, in (0, 1], divided by it: between 0 and 1. Exact: every threshold, linear at the
  /// limit. Undefined without regions or without pixels outside.
  /// Source   Bergmann et al., "The MVTec Anomaly Detection Dataset", IJCV 2021, section 4.
  Metric area(double limit = 0.3) const;

  /// The same area from 101 points alone, as UCAD's released program does: thresholds at 100 evenly
  /// spaced ranks of the pixels outside. For comparison with its numbers only.
  /// Source   specs/ucad.md 3.2.
  Metric area_from_101_points(double limit = 0.3) const;

  /// Corners (false positive rate, mean overlap), from (0, 0); empty where undefined.
  std::vector<CurvePoint> corners() const;

 private:
  Metric why_undefined(double limit) const;  ///< a value where the area is defined

  std::vector<Point> points_;
  std::int64_t n_regions_ = 0, n_outside_ = 0;
};

}  // namespace cadenza
