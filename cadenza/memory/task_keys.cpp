#include "cadenza/memory/task_keys.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/tensor/distance.h"
#include "cadenza/tensor/shape.h"

namespace cadenza {
namespace {

at::Tensor unit_rows(const at::Tensor& rows) {
  return rows / rows.norm(2, {-1}, /*keepdim=*/true).clamp_min(1e-12);
}

}  // namespace

KeyPool parse_key_pool(std::string_view name) {
  if (name == "max") return KeyPool::kMax;
  CADENZA_REQUIRE(name == "mean", ErrorCode::kInvalidArgument, "pooling of key distances '", name,
                  "': expected one of max, mean");
  return KeyPool::kMean;
}

void TaskKeys::set(TaskId task, const at::Tensor& keys) {
  const auto dim = tasks_.empty() ? kAnySize : all_.keys.size(1);
  require_shape(keys, {kAnySize, dim}, "keys [K,D]");
  CADENZA_REQUIRE(keys.size(0) >= 1, ErrorCode::kInvalidArgument, "keys [K,D]: none");
  const auto rows = (distance_ == KeyDistance::kCosine ? unit_rows(keys) : keys).contiguous();
  of_task_[task] = {.keys = rows, .squares = rows.square().sum(1)};
  if (std::ranges::find(tasks_, task) == tasks_.end()) tasks_.push_back(task);
  all_ = columns_of(tasks_);
}

TaskKeys::Columns TaskKeys::columns_of(const std::vector<TaskId>& candidates) const {
  std::vector<at::Tensor> keys, squares;
  for (const auto task : candidates) {
    const auto found = of_task_.find(task);
    CADENZA_REQUIRE(found != of_task_.end(), ErrorCode::kInvalidArgument, "no task ", task,
                    " has keys");
    keys.push_back(found->second.keys);
    squares.push_back(found->second.squares);
  }
  return {.keys = at::cat(keys), .squares = at::cat(squares)};
}

at::Tensor TaskKeys::distances(const at::Tensor& patches,
                               std::span<const TaskId> candidates) const {
  CADENZA_REQUIRE(!tasks_.empty(), ErrorCode::kInvalidArgument, "no task has keys yet");
  require_shape(patches, {kAnySize, kAnySize, all_.keys.size(1)}, "patches [B,N,D]");
  std::vector<TaskId> chosen(candidates.begin(), candidates.end());
  if (chosen.empty()) chosen = tasks_;
  const auto columns = chosen == tasks_ ? all_ : columns_of(chosen);

  const auto n_images = patches.size(0), n_patches = patches.size(1);
  const auto row_bytes = n_patches * columns.keys.size(0) * std::int64_t{sizeof(float)};
  const auto n_at_once = std::max<std::int64_t>(1, kDistanceBlockBytes / row_bytes);
  std::vector<at::Tensor> blocks;
  for (std::int64_t first = 0; first < n_images; first += n_at_once) {
    const auto block = patches.slice(0, first, std::min(n_images, first + n_at_once));
    const auto queries = distance_ == KeyDistance::kCosine ? unit_rows(block) : block;
    const auto flat = queries.reshape({-1, queries.size(2)});
    // |k|^2 - 2 x.k; of unit rows 2 (1 - cos) - 1.
    const auto product = at::addmm(columns.squares, flat, columns.keys.t(), 1, -2);
    std::vector<at::Tensor> nearest;
    std::int64_t column = 0;
    for (const auto task : chosen) {
      const auto n_keys = of_task_.at(task).keys.size(0);
      nearest.push_back(product.narrow(1, column, n_keys).amin({1}));
      column += n_keys;
    }
    auto squared = at::stack(nearest, 1) + flat.square().sum({1}, /*keepdim=*/true);
    squared = squared.clamp_min(0).view({block.size(0), n_patches, -1});
    if (distance_ == KeyDistance::kCosine) squared = squared / 2;
    blocks.push_back(pool_ == KeyPool::kMax ? squared.amax({1}) : squared.mean({1}));
  }
  return at::cat(blocks);
}

}  // namespace cadenza
