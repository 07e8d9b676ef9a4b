#include "cadenza/method/routed_memory/score.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include <ATen/ATen.h>

#include "cadenza/image/resize.h"
#include "cadenza/tensor/map.h"
#include "cadenza/tensor/rows.h"

namespace cadenza::routed_memory {
namespace {

constexpr double kTopShare = 0.02;
constexpr std::int64_t kShownSide = 128;
constexpr double kResidualWeight = 1.25;
constexpr double kLeastRange = 0.1;

at::Tensor on_grid(const Views& views, const TapInfo& tap, const at::Tensor& cells) {
  const auto map = cells.view({1, tap.shape[2], tap.shape[3]});
  return enlarge_bilinear(map, views.grid_height, views.grid_width)[0];
}

at::Tensor in_range(const at::Tensor& map, const MapRange& range) {
  return (map - range.median) / std::max(range.high - range.median, kLeastRange);
}

}  // namespace

std::int64_t n_top_cells(const Views& views) {
  const auto n_cells = static_cast<double>(views.grid_height * views.grid_width);
  return std::max<std::int64_t>(1, std::llround(kTopShare * n_cells));
}

std::vector<float> residuals(const LayerMemory& memory, const at::Tensor& cells) {
  const auto n_cells = static_cast<std::size_t>(cells.size(0));
  std::vector<float> distance(n_cells);
  std::vector<std::int32_t> entry(n_cells);
  memory.packed.search({cells.const_data_ptr<float>(), static_cast<std::size_t>(cells.numel())},
                       distance, entry);
  return distance;
}

at::Tensor residual_map(const Views& views, const Product& product,
                        std::span<const std::vector<float>> of_layers) {
  auto sum = at::zeros({views.grid_height, views.grid_width}, at::kFloat);
  for (std::size_t layer = 0; layer < of_layers.size(); ++layer) {
    const auto& memory = product.layers[layer];
    auto cells = at::empty({std::ssize(of_layers[layer])}, at::kFloat);
    std::ranges::transform(of_layers[layer], cells.mutable_data_ptr<float>(), [&](float residual) {
      return static_cast<float>((residual - memory.mean) / memory.deviation);
    });
    sum += on_grid(views, views.layers[layer], cells);
  }
  return sum / static_cast<double>(of_layers.size());
}

at::Tensor gaussian_map(const Views& views, const Product& product,
                        std::span<const at::Tensor> of_map_layers) {
  auto sum = at::zeros({views.grid_height, views.grid_width}, at::kFloat);
  for (std::size_t index = 0; index < of_map_layers.size(); ++index) {
    const auto& view = product.map_views[index];
    sum +=
        on_grid(views, views.map_layers[index], (of_map_layers[index] - view.centre) / view.spread);
  }
  return sum / static_cast<double>(of_map_layers.size());
}

at::Tensor gaussian_map(const Views& views, const Product& product, const ImageFeatures& features) {
  std::vector<at::Tensor> distances;
  for (std::size_t index = 0; index < product.map_views.size(); ++index) {
    distances.push_back(distance(product.map_views[index], features.map_layers[index]));
  }
  return gaussian_map(views, product, distances);
}

float top_mean(const at::Tensor& map, std::int64_t n) {
  const auto* first = map.const_data_ptr<float>();
  std::vector<float> cells(first, first + map.numel());
  const auto end = cells.begin() + n;
  std::partial_sort(cells.begin(), end, cells.end(), std::greater<>());
  return static_cast<float>(std::accumulate(cells.begin(), end, 0.0) / static_cast<double>(n));
}

at::Tensor mixed_map(const Product& product, const at::Tensor& residual,
                     const at::Tensor& gaussian) {
  if (!gaussian.defined()) return residual;
  return in_range(gaussian, product.gaussian_range) +
         kResidualWeight * in_range(residual, product.residual_range);
}

at::Tensor guide_of(const at::Tensor& image, const InputSpec& input, std::int64_t side) {
  const auto planes = image.contiguous();
  const auto n_pixels = planes.size(1) * planes.size(2);
  FloatPlane grey{.height_px = planes.size(1),
                  .width_px = planes.size(2),
                  .values = std::vector<float>(static_cast<std::size_t>(n_pixels))};
  for (std::int64_t channel = 0; channel < 3; ++channel) {
    const auto index = static_cast<std::size_t>(channel);
    const auto* const from = planes.const_data_ptr<float>() + channel * n_pixels;
    add_scaled({from, grey.values.size()}, input.stddev[index] / 3, input.mean[index] / 3,
               grey.values);
  }
  const auto small = resize_area(grey, side, side);
  auto guide = at::empty({side, side}, at::kFloat);
  std::ranges::copy(small.values, guide.mutable_data_ptr<float>());
  return guide;
}

at::Tensor shown_map(const at::Tensor& mixed, const at::Tensor& image, const InputSpec& input) {
  constexpr double kSmoothness = 0.05, kLeastVariance = 1e-4;
  const auto map = enlarge_bilinear(mixed.unsqueeze(0), kShownSide, kShownSide)[0];
  const auto guide = guide_of(image, input, kShownSide);
  const double variance = guide.var(/*unbiased=*/false).item<double>();
  return guided_filter(
      map, guide, {.radius = 4, .smoothness = kSmoothness * std::max(variance, kLeastVariance)});
}

}  // namespace cadenza::routed_memory
