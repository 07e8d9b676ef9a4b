#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace cadenza {

/// Squared Euclidean distances of all pairs: |a|^2 + |b|^2 - 2 a.b, clamped at 0.
///
/// Shapes   a [M,D], b [N,D] floating point; returns [M,N] of that type, on their device.
/// Accuracy the three terms cancel for near-equal rows: about 1e-7 |a|^2 absolute in float32.
at::Tensor squared_distances(const at::Tensor& a, const at::Tensor& b);

struct Neighbours {
  at::Tensor distance;  ///< [M,K] float32, ascending; Euclidean
  at::Tensor index;     ///< [M,K] int64, rows of the bank
};

inline constexpr std::int64_t kDistanceBlockBytes = std::int64_t{64} << 20;

/// The k nearest rows of `bank` for every query by matrix products, a block of queries at a time:
/// at most `limit_bytes` are held beside arguments and result (at least one query's row is). The
/// way to a GPU, and for k > 1; on a CPU memory/nearest.h is faster for k = 1.
///
/// Shapes   queries [M,D], bank [N,D] float32.
/// Errors   kInvalidArgument: shapes, k not in [1,N].
Neighbours nearest_rows(const at::Tensor& queries, const at::Tensor& bank, std::int64_t k,
                        std::int64_t limit_bytes = kDistanceBlockBytes);

}  // namespace cadenza
