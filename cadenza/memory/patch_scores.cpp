#include "cadenza/memory/patch_scores.h"

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/tensor/map.h"
#include "cadenza/tensor/shape.h"

namespace cadenza {

at::Tensor nearest_distances(const PackedBank& bank, const at::Tensor& features) {
  require_shape(features, {kAnySize, kAnySize, bank.dim()}, "features [B,N,D]");
  CADENZA_REQUIRE(bank.size() > 0, ErrorCode::kInvalidArgument, "the bank is empty");
  const auto flat = features.reshape({-1, bank.dim()}).contiguous();
  return bank.search(flat).distance.view({features.size(0), features.size(1)});
}

at::Tensor patch_map(const at::Tensor& patch_scores, std::int64_t rows, std::int64_t columns,
                     const MapSmoothing& how) {
  require_shape(patch_scores, {kAnySize, rows * columns}, "patch_scores [B,N]");
  const auto grid = patch_scores.view({-1, rows, columns});
  return gaussian_blur(enlarge_bilinear(grid, how.height_px, how.width_px), how.sigma_px);
}

}  // namespace cadenza
