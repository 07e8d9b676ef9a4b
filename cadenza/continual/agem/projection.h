#pragma once

#include <span>

#include <ATen/core/Tensor.h>

namespace cadenza {

/// Removes from the gradient g what would raise the memory's loss: where g . r < 0,
/// g <- g - (g . r / r . r) r, over all parameters together and in place. Returns whether it did.
///
/// Shapes   equal, one tensor a parameter.
/// Source   Chaudhry et al., "Efficient Lifelong Learning with A-GEM", ICLR 2019, eq. 11.
bool project_conflicting(std::span<const at::Tensor> gradient,
                         std::span<const at::Tensor> reference);

}  // namespace cadenza
