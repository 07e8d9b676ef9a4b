#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/dataset/input_spec.h"
#include "cadenza/method/routed_memory/product.h"

namespace cadenza::routed_memory {

// Scoring inside a product, specification section 5. Maps are [h,w] float32 on the views' grid.

/// How many of a map's cells make the image score: 2 % of them, at least 1.
std::int64_t n_top_cells(const Views& views);

/// Distance of each cell of a layer to the nearest entry of its bank.
std::vector<float> residuals(const LayerMemory& memory, const at::Tensor& cells);

/// D: the mean over the layers of (residual - a_l) / b_l, each enlarged to the common grid.
/// `of_layers`: the residuals of each layer, row by row.
at::Tensor residual_map(const Views& views, const Product& product,
                        std::span<const std::vector<float>> of_layers);

/// H: the mean over the map layers of (u - A_t) / B_t, likewise. At least one map layer.
at::Tensor gaussian_map(const Views& views, const Product& product, const ImageFeatures& features);
/// The same of distances that are known already.
at::Tensor gaussian_map(const Views& views, const Product& product,
                        std::span<const at::Tensor> of_map_layers);

/// s: the mean of the n largest cells of D.
float top_mean(const at::Tensor& map, std::int64_t n);

/// M = (H - H_50) / max(H_99 - H_50, 0.1) + 1.25 (D - D_50) / max(D_99 - D_50, 0.1); D alone for a
/// product without map statistics (`gaussian` undefined).
at::Tensor mixed_map(const Product& product, const at::Tensor& residual,
                     const at::Tensor& gaussian);

/// The grey image that lends its edges: 0 to 1, by area. Shapes: image [3,H,W] as prepared.
at::Tensor guide_of(const at::Tensor& image, const InputSpec& input, std::int64_t side);

/// The map as it is shown, 128 x 128: M enlarged and filtered along the image's edges.
at::Tensor shown_map(const at::Tensor& mixed, const at::Tensor& image, const InputSpec& input);

}  // namespace cadenza::routed_memory
