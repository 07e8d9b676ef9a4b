#pragma once

#include <cstdint>

#include <ATen/ATen.h>

#include "cadenza/base/rng.h"

namespace cadenza {

/// Standard normal numbers, the same for a seed everywhere.
inline at::Tensor random_tensor(at::IntArrayRef sizes, std::uint64_t seed) {
  Rng rng(seed, "random_tensor");
  at::Tensor values = at::empty(sizes);
  float* numbers = values.mutable_data_ptr<float>();
  for (std::int64_t k = 0; k < values.numel(); ++k) numbers[k] = static_cast<float>(rng.normal());
  return values;
}

/// Rows of length 1, [n_rows,dim].
inline at::Tensor random_unit_rows(std::int64_t n_rows, std::int64_t dim, std::uint64_t seed) {
  const at::Tensor rows = random_tensor({n_rows, dim}, seed);
  return rows / rows.norm(2, {1}, true);
}

}  // namespace cadenza
