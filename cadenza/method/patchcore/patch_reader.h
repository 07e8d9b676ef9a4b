#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/network/feature_extractor.h"

namespace cadenza::patchcore {

/// Locally aware patch features: each layer averaged over a neighbourhood, the coarser ones
/// enlarged to the first one's grid, all side by side.
/// Source   Roth et al., CVPR 2022, section 3.1.
class PatchReader {
 public:
  /// `request.taps` are the layers, finest first. `neighbourhood`: odd, in cells.
  /// Errors   those of FeatureExtractor; kInvalidArgument: no layer, one without a grid.
  PatchReader(const FeatureRequest& request, std::int64_t neighbourhood,
              const NetworkEnvironment& environment);

  /// Shapes   images [B,3,H,W] -> [B,rows()*columns(),dim()], row by row.
  /// Errors   kNumeric: a value is not finite.
  at::Tensor read(const at::Tensor& images) const;

  std::int64_t rows() const noexcept { return rows_; }
  std::int64_t columns() const noexcept { return columns_; }
  std::int64_t dim() const noexcept { return dim_; }
  const FeatureExtractor& extractor() const noexcept { return extractor_; }

 private:
  FeatureExtractor extractor_;
  std::int64_t neighbourhood_, rows_ = 0, columns_ = 0, dim_ = 0;
};

}  // namespace cadenza::patchcore
