#include "cadenza/tensor/distance.h"

#include <algorithm>
#include <vector>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/tensor/shape.h"

namespace cadenza {

at::Tensor squared_distances(const at::Tensor& a, const at::Tensor& b) {
  require_shape(a, {kAnySize, kAnySize}, "a [M,D]");
  require_shape(b, {kAnySize, a.size(1)}, "b [N,D]");
  const at::Tensor norms = b.square().sum(1).unsqueeze(0);
  return at::addmm(norms, a, b.t(), /*beta=*/1, /*alpha=*/-2)
      .add_(a.square().sum(1, /*keepdim=*/true))
      .clamp_min_(0);
}

Neighbours nearest_rows(const at::Tensor& queries, const at::Tensor& bank, std::int64_t k,
                        std::int64_t limit_bytes) {
  require_shape(queries, {kAnySize, kAnySize}, "queries [M,D]");
  require_shape(bank, {kAnySize, queries.size(1)}, "bank [N,D]");
  const std::int64_t n_rows = bank.size(0);
  CADENZA_REQUIRE(k >= 1 && k <= n_rows, ErrorCode::kInvalidArgument, "k = ", k, ": not in [1, ",
                  n_rows, "], the rows of the bank");

  const std::int64_t row_bytes = n_rows * static_cast<std::int64_t>(sizeof(float));
  const std::int64_t block =
      std::max<std::int64_t>(1, limit_bytes / std::max<std::int64_t>(1, row_bytes));
  std::vector<at::Tensor> distances, indices;
  for (std::int64_t first = 0; first < queries.size(0); first += block) {
    const at::Tensor some = queries.slice(0, first, std::min(first + block, queries.size(0)));
    const at::Tensor squared = squared_distances(some, bank);
    auto [nearest, index] = squared.topk(k, /*dim=*/1, /*largest=*/false, /*sorted=*/true);
    distances.push_back(nearest.sqrt_());
    indices.push_back(index);
  }
  if (distances.empty()) {
    return {at::empty({0, k}, queries.options()),
            at::empty({0, k}, queries.options().dtype(at::kLong))};
  }
  return {at::cat(distances), at::cat(indices)};
}

}  // namespace cadenza
