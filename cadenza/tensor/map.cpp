#include "cadenza/tensor/map.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/tensor/box_mean.h"
#include "cadenza/tensor/shape.h"

namespace cadenza {
namespace {

/// blur(x) = M x along an axis of `size` cells, the mirrored edges folded into M.
at::Tensor gaussian_matrix(std::int64_t size, double sigma) {
  const auto radius = static_cast<std::int64_t>(4.0 * sigma + 0.5);
  std::vector<double> kernel(static_cast<std::size_t>(2 * radius + 1));
  double sum = 0;
  for (std::int64_t offset = -radius; offset <= radius; ++offset) {
    const double weight = std::exp(-0.5 * static_cast<double>(offset * offset) / (sigma * sigma));
    kernel[static_cast<std::size_t>(offset + radius)] = weight;
    sum += weight;
  }
  at::Tensor matrix = at::zeros({size, size}, at::kDouble);
  const std::span<double> cells(matrix.mutable_data_ptr<double>(),
                                static_cast<std::size_t>(size * size));
  for (std::int64_t to = 0; to < size; ++to) {
    for (std::int64_t offset = -radius; offset <= radius; ++offset) {
      // Half-sample symmetric and periodic: ... b a | a b c d | d c ...
      std::int64_t from = (to + offset) % (2 * size);
      if (from < 0) from += 2 * size;
      if (from >= size) from = 2 * size - 1 - from;
      cells[static_cast<std::size_t>(to * size + from)] +=
          kernel[static_cast<std::size_t>(offset + radius)] / sum;
    }
  }
  return matrix.to(at::kFloat);
}

std::span<const float> cells_of(const at::Tensor& map) {
  return {map.const_data_ptr<float>(), static_cast<std::size_t>(map.numel())};
}

}  // namespace

at::Tensor enlarge_bilinear(const at::Tensor& maps, std::int64_t height, std::int64_t width) {
  require_shape(maps, {kAnySize, kAnySize, kAnySize}, "maps [B,h,w]");
  return at::upsample_bilinear2d(maps.unsqueeze(1), {height, width}, /*align_corners=*/false)
      .squeeze(1);
}

at::Tensor gaussian_blur(const at::Tensor& maps, double sigma) {
  require_shape(maps, {kAnySize, kAnySize, kAnySize}, "maps [B,h,w]");
  CADENZA_REQUIRE(sigma >= 0 && std::isfinite(sigma), ErrorCode::kInvalidArgument,
                  "sigma = ", sigma, ": expected a finite number of cells, 0 or more");
  if (sigma == 0) return maps.clone();
  const at::Tensor down = gaussian_matrix(maps.size(1), sigma);
  const at::Tensor along = gaussian_matrix(maps.size(2), sigma).t();
  at::Tensor blurred = at::empty_like(maps, at::MemoryFormat::Contiguous);
  // One map at a time: its bits do not depend on the batch.
  for (std::int64_t map_index = 0; map_index < maps.size(0); ++map_index) {
    blurred.select(0, map_index).copy_(down.mm(maps.select(0, map_index)).mm(along));
  }
  return blurred;
}

at::Tensor guided_filter(const at::Tensor& map, const at::Tensor& guide, const GuidedFilter& how) {
  require_shape(map, {kAnySize, kAnySize}, "map [h,w]");
  const std::int64_t height = map.size(0), width = map.size(1);
  require_shape(guide, {height, width}, "guide [h,w]");
  CADENZA_REQUIRE(how.radius >= 0 && how.radius <= std::min(height, width),
                  ErrorCode::kInvalidArgument, "radius = ", how.radius, ": not in [0, ",
                  std::min(height, width), "], the map's shorter side");

  const at::Tensor map_cells = map.contiguous(), guide_cells = guide.contiguous();
  const auto m = cells_of(map_cells), i = cells_of(guide_cells);
  const std::size_t n_cells = m.size();
  std::vector<float> product(n_cells), box_i(n_cells), box_m(n_cells), box_im(n_cells),
      box_ii(n_cells);
  const auto box = [&](std::span<const float> in, std::span<float> out) {
    box_mean(in, height, width, how.radius, out);
  };
  box(i, box_i);
  box(m, box_m);
  for (std::size_t cell = 0; cell < n_cells; ++cell) product[cell] = i[cell] * m[cell];
  box(product, box_im);
  for (std::size_t cell = 0; cell < n_cells; ++cell) product[cell] = i[cell] * i[cell];
  box(product, box_ii);

  const auto smoothness = static_cast<float>(how.smoothness);
  std::vector<float> al(n_cells), be(n_cells);
  for (std::size_t cell = 0; cell < n_cells; ++cell) {
    const float variance = std::max(box_ii[cell] - box_i[cell] * box_i[cell], 0.0F) + smoothness;
    const float covariance = box_im[cell] - box_i[cell] * box_m[cell];
    al[cell] = variance > 0 ? covariance / variance : 0.0F;
    be[cell] = box_m[cell] - al[cell] * box_i[cell];
  }
  box(al, box_i);
  box(be, box_m);
  at::Tensor result = at::empty({height, width}, map_cells.options());
  float* out = result.mutable_data_ptr<float>();
  for (std::size_t cell = 0; cell < n_cells; ++cell) {
    out[cell] = box_i[cell] * i[cell] + box_m[cell];
  }
  return result;
}

}  // namespace cadenza
