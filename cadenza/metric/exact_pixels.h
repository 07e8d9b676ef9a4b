#pragma once

#include <cstdint>
#include <vector>

#include "cadenza/metric/pixel_meter.h"
#include "cadenza/metric/truth_pixels.h"

namespace cadenza {

/// Keeps every score, as a 32-bit key: the smaller, the higher the score.
class ExactPixels {
 public:
  void add(const TruthPixels& image);
  PixelCurves curves() const;
  /// All that was added, as if it were one image.
  TruthPixels pixels() const;

  struct RegionKey {
    std::uint32_t key, region;
  };

 private:
  std::vector<std::uint32_t> outside_, border_, anomalous_;
  std::vector<RegionKey> in_regions_;
  std::vector<std::uint32_t> n_scores_;  ///< by region
};

}  // namespace cadenza
