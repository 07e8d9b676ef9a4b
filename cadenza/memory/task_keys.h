#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/tensor/state.h"

namespace cadenza {

enum class KeyDistance {
  kSquared,  ///< |x - k|^2
  kCosine    ///< 1 - cos(x, k)
};

/// What the distances of an image's patches to their nearest keys become: one number.
enum class KeyPool { kMax, kMean };

/// "max", "mean". Errors: kInvalidArgument listing them.
KeyPool parse_key_pool(std::string_view name);

/// Which task an image is of, by the keys of all tasks: for each task the distance of every patch
/// of the image to that task's nearest key, pooled over the patches.
///
/// All keys lie in one matrix, so that routing over any number of tasks is one matrix product.
/// Cost     B*N*D*(all keys) multiply-adds: 0.44 G for 15 tasks of 196 keys, N = 196, D = 768.
/// Threads  const members from any thread.
/// Source   UCAD, AAAI 2024, section 3.2 (kSquared, kMax; ucad specification 1.9); Dual-prompt
///          ConvNeXt (kCosine, kMean; dual_prompt specification 5).
class TaskKeys {
 public:
  TaskKeys(KeyDistance distance, KeyPool pool) : distance_(distance), pool_(pool) {}

  /// Takes the task's keys [K,D] float32, K >= 1, in place of earlier ones; all tasks have one D.
  /// Errors   kInvalidArgument: shape.
  void set(TaskId task, const at::Tensor& keys);

  /// The tasks, in the order in which they were first set.
  std::span<const TaskId> tasks() const noexcept { return tasks_; }

  /// Shapes   patches [B,N,D] float32 -> [B, candidates], in their order; no candidates: all tasks.
  /// Errors   kInvalidArgument: shape, an unknown candidate, no task at all.
  at::Tensor distances(const at::Tensor& patches, std::span<const TaskId> candidates = {}) const;

 private:
  struct Columns {
    at::Tensor keys;     ///< [K,D]; of kCosine, unit rows
    at::Tensor squares;  ///< [K]
  };
  Columns columns_of(const std::vector<TaskId>& candidates) const;

  KeyDistance distance_;
  KeyPool pool_;
  std::vector<TaskId> tasks_;
  std::map<TaskId, Columns> of_task_;
  Columns all_;  ///< of tasks_, in their order
};

}  // namespace cadenza
