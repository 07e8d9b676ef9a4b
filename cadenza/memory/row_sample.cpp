#include "cadenza/memory/row_sample.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "cadenza/tensor/shape.h"

namespace cadenza {

RowSample::RowSample(std::int64_t n_rows, std::int64_t dim, std::int64_t k, Rng& rng)
    : numbers_(rng.sample_sorted(n_rows, k)),
      rows_(at::empty({std::ssize(numbers_), dim}, at::kFloat)) {}

void RowSample::take(std::int64_t first, const at::Tensor& block) {
  const auto dim = rows_.size(1), end = first + block.size(0);
  require_shape(block, {kAnySize, dim}, "block [n,dim]");
  const auto* from = block.const_data_ptr<float>();
  auto* to = rows_.mutable_data_ptr<float>();
  for (; n_filled_ < numbers_.size() && numbers_[n_filled_] < end; ++n_filled_) {
    std::copy_n(from + (numbers_[n_filled_] - first) * dim, dim,
                to + static_cast<std::int64_t>(n_filled_) * dim);
  }
}

at::Tensor RowSample::numbers() const { return at::tensor(numbers_); }

}  // namespace cadenza
