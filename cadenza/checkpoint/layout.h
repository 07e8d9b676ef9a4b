#pragma once

#include <span>
#include <vector>

#include "cadenza/checkpoint/checkpoint.h"

namespace cadenza {

/// A packed row-major copy of a tensor whose element [i0, i1, ...] lies `sum(ik * stride_k)`
/// elements behind the start of `bytes`. The caller has checked that the last one lies inside.
/// Cost     one pass; a buffer of the result's size.
StoredTensor gather_strided(std::span<const std::byte> bytes, DType dtype, TensorShape shape,
                            std::span<const std::int64_t> strides);

/// Axis k of the result is axis order[k] of `tensor`. A copy. Errors: kInvalidArgument unless
/// `order` is a permutation of the axes.
StoredTensor permute(const StoredTensor& tensor, std::span<const int> order);

/// The same elements in another shape; no copy. Errors: kInvalidArgument unless the number of
/// elements stays.
StoredTensor reshape(const StoredTensor& tensor, TensorShape shape);

/// Joined along axis 0. A copy. Errors: kInvalidArgument unless types and the other axes agree.
StoredTensor concat(std::span<const StoredTensor> parts);

}  // namespace cadenza
