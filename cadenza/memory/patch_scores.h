#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "cadenza/memory/nearest.h"

namespace cadenza {

/// Each patch's distance to the nearest row of the bank.
///
/// Shapes   features [B,N,D] float32 on the CPU -> [B,N]; Euclidean. An image's numbers are the
///          same bits whatever else is in the batch.
/// Errors   kInvalidArgument: shape; an empty bank.
at::Tensor nearest_distances(const PackedBank& bank, const at::Tensor& features);

/// How patch scores become an anomaly map: bilinear to the picture's size, then a Gaussian.
struct MapSmoothing {
  std::int64_t height_px = 224, width_px = 224;
  double sigma_px = 4;
};

/// Shapes   patch_scores [B,N], N = rows*columns, row by row -> [B,height_px,width_px].
/// Errors   kInvalidArgument: N is not rows*columns.
/// Source   PatchCore's rescale and blur; ucad specification 1.10.
at::Tensor patch_map(const at::Tensor& patch_scores, std::int64_t rows, std::int64_t columns,
                     const MapSmoothing& how);

}  // namespace cadenza
