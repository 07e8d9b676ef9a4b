#include "cadenza/memory/projected_coreset.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include "cadenza/base/error.h"
#include "cadenza/tensor/shape.h"

namespace cadenza {

at::Tensor select_projected_coreset(const at::Tensor& rows, const at::Tensor& projection,
                                    std::span<const std::int64_t> start_rows, std::int64_t k,
                                    std::stop_token stop) {
  require_shape(rows, {kAnySize, kAnySize}, "rows [N,D]");
  require_shape(projection, {kAnySize, rows.size(1)}, "projection [E,D]");
  const std::int64_t n_rows = rows.size(0);
  CADENZA_REQUIRE(k >= 1 && k <= n_rows, ErrorCode::kInvalidArgument, "k = ", k,
                  ": expected a number in [1, ", n_rows, "]");
  CADENZA_REQUIRE(!start_rows.empty(), ErrorCode::kInvalidArgument, "no start rows");
  const c10::InferenceMode inference;
  const at::Tensor projected = rows.matmul(projection.t()).contiguous();  // [N,E]
  const at::Tensor squares = projected.square().sum(1);                   // [N]
  at::Tensor distance = at::empty_like(squares);

  // |r|^2 - 2 r.c, then + |c|^2: the order of the authors' program, whose rounding it repeats.
  const auto distances_to = [&](std::int64_t row) -> const at::Tensor& {
    at::addmv_out(distance, squares, projected, projected[row], 1, -2);
    return distance.add_(squares[row]).clamp_min_(0).sqrt_();
  };

  at::Tensor bound = at::zeros_like(squares);
  for (const auto row : start_rows) {
    CADENZA_REQUIRE(row >= 0 && row < n_rows, ErrorCode::kInvalidArgument, "start row ", row,
                    ": expected a number in [0, ", n_rows, ")");
    bound.add_(distances_to(row));
  }
  bound.div_(double(start_rows.size()));

  at::Tensor picked = at::empty({k}, at::kLong);
  auto* const picks = picked.mutable_data_ptr<std::int64_t>();
  for (std::int64_t pick = 0; pick < k; ++pick) {
    CADENZA_REQUIRE(!stop.stop_requested(), ErrorCode::kCancelled, "stopped in the coreset");
    picks[pick] = bound.argmax().item<std::int64_t>();
    at::minimum_out(bound, bound, distances_to(picks[pick]));
  }
  return picked;
}

}  // namespace cadenza
