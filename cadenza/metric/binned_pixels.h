#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cadenza/metric/pixel_meter.h"
#include "cadenza/metric/truth_pixels.h"

namespace cadenza {

/// Counts scores in 2^16 bins of equal width. When a score lies outside of them, neighbours are
/// merged in pairs until it fits: memory is bounded, nothing is lost but the order inside a bin,
/// whose scores count as equal. Once scores differ by more than a millionth of their size, at least
/// a quarter of the bins spans them; a single huge score therefore makes all bins coarse.
class BinnedPixels {
 public:
  static constexpr std::size_t kBins = std::size_t{1} << 16;

  void add(const TruthPixels& image);
  PixelCurves curves() const;

 private:
  void widen_to(float lowest, float highest);
  void widen_to(std::span<const float> scores);
  void merge_pairs(std::size_t first);
  std::size_t bin_of(float score) const;

  double low_ = 0, width_ = 0;  ///< bin b holds [low + b * width, low + (b + 1) * width)
  std::vector<std::int64_t> outside_, border_, anomalous_;
  std::vector<double> overlap_;  ///< sum over regions of the share of their scores in the bin
  std::int64_t n_regions_ = 0;
};

}  // namespace cadenza
