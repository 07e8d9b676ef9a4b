#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/continual/strategy.h"

namespace cadenza {

/// What the diagonal Fisher information is made of. Values of the three differ by up to the batch
/// size squared, so that one lambda does not serve them all.
enum class FisherKind {
  kSample,  ///< mean over rows of the squared gradient of the row's loss (dataset label)
  kBatch,   ///< mean over batches of the squared gradient of the batch's mean loss
  kModel,   ///< mean over rows of the expectation under the model's own class distribution
};

/// One tensor >= 0 a parameter, from at most `n_images` images in batches of `batch_size`.
/// Errors: kUnsupported: kSample without sample_losses, kModel without logits.
/// Cost: one backward pass a row (kSample), a batch (kBatch), a row and class (kModel).
/// Source: Kirkpatrick et al., PNAS 2017, eq. 3; dne_cl specification 2.2.
std::vector<at::Tensor> fisher_information(const TaskData& data, const TrainableView& view,
                                           FisherKind kind, std::int64_t n_images,
                                           std::int64_t batch_size, std::uint64_t seed);

}  // namespace cadenza
