#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/continual/strategy.h"

namespace cadenza {

/// The gradients of `loss`, one tensor a parameter (zeros where it does not depend on one).
/// Gradients that stood in the parameters before are put back.
std::vector<at::Tensor> gradients_of(const at::Tensor& loss, std::span<const at::Tensor> parameters,
                                     bool keep_graph = false);

/// Calls `visit` with batches of at most `batch_size` images drawn without replacement from `data`:
/// n_images of them (all if there are fewer), the same for the same seed and data.
void for_sampled_batches(const TaskData& data, const TrainableView& view, std::int64_t n_images,
                         std::int64_t batch_size, std::uint64_t seed,
                         const std::function<void(const Batch&)>& visit);

}  // namespace cadenza
