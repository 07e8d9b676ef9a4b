#pragma once

#include <cstddef>
#include <memory>

#include "cadenza/dataset/task_data.h"

namespace cadenza {

/// The images of one task of a step, in their order: for methods that learn tasks one by one.
/// Borrows `data`. Errors: kInvalidArgument: `task` is no index into data.tasks().
std::unique_ptr<TaskData> one_task(const TaskData& data, std::size_t task);

}  // namespace cadenza
