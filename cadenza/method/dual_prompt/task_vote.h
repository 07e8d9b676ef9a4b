#pragma once

#include <cstddef>
#include <span>

#include <ATen/core/Tensor.h>

#include "cadenza/memory/nearest.h"

namespace cadenza::dual_prompt {

/// Which task a set of images is of, as the authors' program decides it: once for all of them.
///
/// 1. The first 32 images vote: the 3 tasks of the least mean distance to the keys are candidates.
/// 2. Of those, the task to whose keys the same images' plain cells are nearest (squared, largest
///    of an image, mean over the images).
///
/// Shapes   key_distances [B,T]; keys: of the T tasks; cells [B,N,C]. Returns an index into them.
/// Source   dual_prompt specification 5. For `compat` alone: an image's task then depends on what
/// it
///          is scored with.
std::size_t vote(const at::Tensor& key_distances, std::span<const PackedBank* const> keys,
                 const at::Tensor& cells);

}  // namespace cadenza::dual_prompt
