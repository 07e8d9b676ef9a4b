#pragma once

#include <cstdint>
#include <span>

#include <ATen/core/Tensor.h>

#include "cadenza/dataset/task_data.h"

namespace cadenza {

struct OriginalRows {
  at::Tensor pixels;  ///< [n,H,W,3] uint8
  at::Tensor task;    ///< [n] int64, TaskId
};

/// Some rows of the data, in the given order.
OriginalRows original_rows(const TaskData& data, std::span<const std::int64_t> rows);

}  // namespace cadenza
