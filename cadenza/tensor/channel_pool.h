#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace cadenza {

/// Features on another number of channels: each of `n_out` is the mean of the `n_in` it overlaps.
///
/// With g = gcd(n_in, n_out) the channels fall into g equal groups that never mix, so distances of
/// pooled features are those of a quadratic form with one small block. Where pooling would make
/// features longer, distance_preserving() gives the same distances in n_in numbers: memory and
/// search cost n_in / n_out of the pooled ones (3/4 for a ViT-B at 1024).
///
/// Source   torch's adaptive_avg_pool1d, as PatchCore and UCAD use it (ucad specification 1.5).
/// Threads  pure.
class ChannelPool {
 public:
  /// Errors: kInvalidArgument: a size below 1.
  ChannelPool(std::int64_t n_in, std::int64_t n_out);

  /// Shapes   features [...,n_in] float32 or float64 -> [...,n_out].
  at::Tensor pool(const at::Tensor& features) const;

  /// Features whose Euclidean distances are those of pool(): [...,n_in] -> [...,min(n_in, n_out)].
  /// Differs  from pool() only in rounding; is pool() itself where n_out < n_in.
  at::Tensor distance_preserving(const at::Tensor& features) const;

  /// Last size of distance_preserving().
  std::int64_t n_kept() const noexcept { return n_in_ < n_out_ ? n_in_ : n_out_; }

 private:
  at::Tensor by_group(const at::Tensor& features, const at::Tensor& block) const;

  std::int64_t n_in_, n_out_, n_groups_;
  at::Tensor mean_;    ///< [n_out/g, n_in/g] float64: one group's means
  at::Tensor factor_;  ///< [kept/g, n_in/g] float64, factor^T factor = mean^T mean
};

}  // namespace cadenza
