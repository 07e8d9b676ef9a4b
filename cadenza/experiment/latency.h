#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "cadenza/base/clock.h"
#include "cadenza/base/json.h"

namespace cadenza {

/// Percentiles of the time that images took in each stage, one image at a time from file bytes.
class LatencyMeter {
 public:
  static constexpr std::int64_t kWarmUps = 8;       ///< first images, not counted
  static constexpr std::int64_t kLeastImages = 50;  ///< fewer give no percentiles

  void add(const StageClock& clock);
  std::int64_t n_counted() const noexcept;
  /// {"decode": {"p50": ms, "p95": ms, "p99": ms}, ..., "render": null unless images
  /// were shown, "total": {...}}, or null with too few images. total = decode + preprocess +
  /// network + score of each image.
  Json percentiles() const;

 private:
  std::int64_t n_seen_ = 0;
  std::array<std::vector<double>, kStageNames.size()> stages_;
  std::vector<double> totals_;
};

/// The value that a share `part` of `values` does not exceed: the ceil(part * n)-th smallest.
double percentile(std::vector<double> values, double part);

}  // namespace cadenza
