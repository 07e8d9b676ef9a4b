#include "cadenza/continual/strategy.h"

#include <ATen/ATen.h>

#include "cadenza/base/error.h"

namespace cadenza {

Batch slice(const Batch& batch, std::int64_t first, std::int64_t last) {
  const auto n_rows = batch.images.size(0);
  CADENZA_REQUIRE(0 <= first && first <= last && last <= n_rows, ErrorCode::kInvalidArgument,
                  "rows [", first, ", ", last, ") of a batch of ", n_rows);
  const auto rows = [&](const at::Tensor& of) {
    return of.defined() ? of.slice(0, first, last) : of;
  };
  return {.images = rows(batch.images),
          .pixels = rows(batch.pixels),
          .labels = rows(batch.labels),
          .task = rows(batch.task),
          .n_fresh = std::clamp(batch.n_fresh - first, std::int64_t{0}, last - first)};
}

void append(Batch& batch, const Batch& more) {
  CADENZA_REQUIRE(batch.labels.defined() == more.labels.defined() &&
                      batch.pixels.defined() == more.pixels.defined(),
                  ErrorCode::kInvalidArgument,
                  "append to a batch: only one of the two has labels or pixels");
  CADENZA_REQUIRE(batch.images.sizes().slice(1) == more.images.sizes().slice(1),
                  ErrorCode::kInvalidArgument, "append to a batch: expected images [B,",
                  batch.images.sizes().slice(1), "], got [B,", more.images.sizes().slice(1), "]");
  batch.images = at::cat({batch.images, more.images});
  batch.task = at::cat({batch.task, more.task});
  if (batch.pixels.defined()) batch.pixels = at::cat({batch.pixels, more.pixels});
  if (batch.labels.defined()) batch.labels = at::cat({batch.labels, more.labels});
}

void ContinualStrategy::load(const StatePiece& state) { PieceReader(state, "strategy").finish(); }

}  // namespace cadenza
