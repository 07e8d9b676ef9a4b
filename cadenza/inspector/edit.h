#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "cadenza/inspector/model_directory.h"

namespace cadenza {

// Changes of a model that need neither its method nor an image. Each is committed before it
// returns, or has not happened. Errors of all: those of ModelWriter; kNotFound: no model, or no
// such task (naming the known ones).

/// Errors   kInvalidArgument: the new name is taken or no task name.
void rename_task(const ModelDirectory& directory, std::string_view task,
                 const std::string& new_name);

/// A threshold set by hand. Errors   kInvalidArgument: not finite.
void set_threshold(const ModelDirectory& directory, std::string_view task, double threshold);

/// Commits a generation that differs in one task's record. `change` is for people.
void edit_task(const ModelDirectory& directory, std::string_view task, const std::string& change,
               const std::function<void(TaskRecord&)>& edit);

/// Takes back the last generation. Errors   kInvalidArgument: it is the only one.
void undo(const ModelDirectory& directory);

/// Takes one task back to what it was before the first generation that has it as it is now; the
/// other tasks stay. A task that was not there yet is gone.
/// Errors   kInvalidArgument: nothing would be left. kUnsupported: it was learned anew since, and
///          other tasks that share parameters with it have been learned on top.
void undo_task(const ModelDirectory& directory, std::string_view task);

/// Forgets all generations but the current one; returns the bytes of the pieces that went.
std::uint64_t prune(const ModelDirectory& directory);

/// Errors   kInvalidArgument: empty, ".", "..", longer than 200 bytes, with a slash, a backslash or
///          a control character, or no UTF-8.
void require_task_name(std::string_view name);

/// Errors   kNotFound naming the task and the known ones.
const TaskRecord& find_task(const Generation& generation, std::string_view task);

}  // namespace cadenza
