#pragma once

#include <cstdint>
#include <vector>

namespace cadenza {

/// Scores of one image's pixels, apart by what the truth says of them.
struct TruthPixels {
  std::vector<float> outside;    ///< in no region
  std::vector<float> border;     ///< in a region, yet normal in the pixel truth
  std::vector<float> anomalous;  ///< anomalous in the pixel truth

  /// By region the scores that count, each worth one over their number: all of its pixels, or with
  /// a saturation area of n the n highest, since min(TP, n) / n is the share of those n found.
  std::vector<std::vector<float>> regions;

  std::int64_t n_pixels() const {
    return std::ssize(outside) + std::ssize(border) + std::ssize(anomalous);
  }
};

}  // namespace cadenza
