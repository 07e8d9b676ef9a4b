#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/base/rng.h"

namespace cadenza {

/// At most k of many rows that arrive block by block, each subset equally likely: what selection
/// looks at when all rows would not fit.
class RowSample {
 public:
  /// Of `n_rows` rows of `dim` numbers. Draws from `rng`; all rows are kept when k >= n_rows.
  RowSample(std::int64_t n_rows, std::int64_t dim, std::int64_t k, Rng& rng);

  /// The rows first, first + 1, ... of all; blocks arrive in ascending order.
  /// Shapes   block [n,dim] float32, contiguous.
  void take(std::int64_t first, const at::Tensor& block);

  /// [n,dim] float32, complete once every block was taken.
  const at::Tensor& rows() const noexcept { return rows_; }
  /// [n] int64: which of all rows they are, ascending.
  at::Tensor numbers() const;

 private:
  std::vector<std::int64_t> numbers_;
  at::Tensor rows_;
  std::size_t n_filled_ = 0;
};

}  // namespace cadenza
