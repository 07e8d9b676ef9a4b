#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/network/feature_extractor.h"

namespace cadenza::routed_memory {

/// The places of the network that are looked at, and how their cells become one map.
struct Views {
  std::vector<TapInfo> layers;      ///< of the banks, l = 1..L; the last one routes
  std::vector<TapInfo> map_layers;  ///< of the Mahalanobis maps, t = 1..T; may be empty
  std::int64_t grid_height = 0, grid_width = 0;  ///< of the maps D, H and M: the finest of all
};

/// What one image looks like.
struct ImageFeatures {
  std::vector<at::Tensor> layers;      ///< [h*w,d] float32 a layer, every cell of length 1 (or 0)
  std::vector<at::Tensor> map_layers;  ///< the same for the maps; the first is as it comes, raw
  std::uint64_t n_bytes = 0;           ///< of all tensors, what two lists share counted once
};

/// The frozen network and what is read off it.
class FeatureReader {
 public:
  /// `request.taps` is set here. Errors: those of FeatureExtractor; kInvalidArgument: no layer, one
  /// without a grid.
  FeatureReader(FeatureRequest request, const std::vector<std::string>& layers,
                const std::vector<std::string>& map_layers, const NetworkEnvironment& environment);

  const Views& views() const noexcept { return views_; }
  const FeatureExtractor& extractor() const noexcept { return extractor_; }

  /// Shapes   images [B,3,H,W]; B results. With `digests` (B of them) through the environment's
  ///          cache.
  /// Errors   kNumeric: a value is not finite, naming the layer and the image's place in the batch.
  std::vector<ImageFeatures> read(const at::Tensor& images,
                                  const std::vector<std::string>& digests = {}) const;

 private:
  FeatureExtractor extractor_;
  Views views_;
  std::vector<std::size_t> tap_of_layer_, tap_of_map_layer_;
};

}  // namespace cadenza::routed_memory
