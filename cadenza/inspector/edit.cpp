#include "cadenza/inspector/edit.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "cadenza/base/clock.h"
#include "cadenza/base/error.h"
#include "cadenza/base/json.h"
#include "cadenza/base/suggest.h"

namespace cadenza {

namespace {

constexpr std::size_t kMaxNameBytes = 200;

/// A model that is being changed.
struct Edit {
  explicit Edit(const ModelDirectory& directory)
      : writer(existing(directory)), manifest(writer.manifest().value()) {}

  /// Looked at first: a writer would make the folder of a model that is not there.
  static const ModelDirectory& existing(const ModelDirectory& directory) {
    directory.read_manifest();
    return directory;
  }
  void commit() { writer.commit(manifest); }
  void commit_next(Generation generation) {
    generation.number = manifest.next_generation++;
    generation.written = utc_timestamp();
    manifest.history.push_back(std::move(generation));
    commit();
  }

  ModelWriter writer;
  Manifest manifest;
};

const TaskRecord* find_id(const Generation& generation, std::int64_t id) {
  const auto found = std::ranges::find(generation.tasks, id, &TaskRecord::id);
  return found == generation.tasks.end() ? nullptr : &*found;
}

/// The place of the first generation that has the task as the last one has it.
std::size_t first_like_now(const std::vector<Generation>& history, const TaskRecord& now) {
  const auto first = std::ranges::find_if(history, [&](const Generation& generation) {
    const auto* const record = find_id(generation, now.id);
    return record != nullptr && *record == now;
  });
  return static_cast<std::size_t>(first - history.begin());
}

/// From the generation before `first` to the current one: then no task builds on another.
bool is_shared_piece_unchanged(const std::vector<Generation>& history, std::size_t first) {
  const auto start = history.begin() + static_cast<std::ptrdiff_t>(first == 0 ? 0 : first - 1);
  return std::ranges::all_of(start, history.end(), [&](const Generation& generation) {
    return generation.shared == history.back().shared;
  });
}

/// Both know the same tasks, learned to the same bytes.
bool has_same_states(const Generation& one, const Generation& other) {
  return one.tasks.size() == other.tasks.size() &&
         std::ranges::all_of(one.tasks, [&](const TaskRecord& task) {
           const auto* const record = find_id(other, task.id);
           return record != nullptr && record->state == task.state;
         });
}

bool is_text(std::string_view name) {
  const bool has_control = std::ranges::any_of(
      name, [](unsigned char letter) { return letter < 0x20 || letter == 0x7f; });
  if (has_control) return false;
  try {
    Json(name).dump();
  } catch (const Json::exception&) {
    return false;  // no UTF-8
  }
  return true;
}

}  // namespace

void require_task_name(std::string_view name) {
  const bool is_usable = !name.empty() && name != "." && name != ".." &&
                         name.size() <= kMaxNameBytes &&
                         name.find_first_of("/\\") == std::string_view::npos && is_text(name);
  CADENZA_REQUIRE(is_usable, ErrorCode::kInvalidArgument, "task name '",
                  name.substr(0, kMaxNameBytes), "': expected 1 to ", kMaxNameBytes,
                  " bytes of UTF-8 without slashes and control characters");
}

const TaskRecord& find_task(const Generation& generation, std::string_view task) {
  const auto* const record = generation.find(task);
  if (record != nullptr) return *record;
  std::vector<std::string> names;
  for (const auto& known : generation.tasks) names.push_back(known.name);
  throw Error(ErrorCode::kNotFound, unknown_name_message("task", task, names));
}

void edit_task(const ModelDirectory& directory, std::string_view task, const std::string& change,
               const std::function<void(TaskRecord&)>& edit) {
  Edit model(directory);
  Generation next = model.manifest.current();
  const std::int64_t id = find_task(next, task).id;
  edit(*std::ranges::find(next.tasks, id, &TaskRecord::id));
  next.change = change;
  model.commit_next(std::move(next));
}

void rename_task(const ModelDirectory& directory, std::string_view task,
                 const std::string& new_name) {
  require_task_name(new_name);
  Edit model(directory);
  Generation next = model.manifest.current();
  const std::int64_t id = find_task(next, task).id;
  CADENZA_REQUIRE(next.find(new_name) == nullptr, ErrorCode::kInvalidArgument, "task '", new_name,
                  "': the name is taken in ", directory.path().string());
  std::ranges::find(next.tasks, id, &TaskRecord::id)->name = new_name;
  next.change = cat("rename ", task, " to ", new_name);
  model.commit_next(std::move(next));
}

void set_threshold(const ModelDirectory& directory, std::string_view task, double threshold) {
  CADENZA_REQUIRE(std::isfinite(threshold), ErrorCode::kInvalidArgument, "threshold: ", threshold,
                  " is no number to compare with");
  edit_task(directory, task, cat("threshold of ", task), [&](TaskRecord& record) {
    record.threshold.value = threshold;
    record.threshold.source = ThresholdSource::kManual;
    record.threshold.is_certified = false;
  });
}

void undo(const ModelDirectory& directory) {
  Edit model(directory);
  CADENZA_REQUIRE(model.manifest.history.size() > 1, ErrorCode::kInvalidArgument,
                  directory.path().string(),
                  ": has one generation only, nothing can be taken back; to be rid of the model, "
                  "remove its folder");
  model.manifest.history.pop_back();
  model.commit();
}

void undo_task(const ModelDirectory& directory, std::string_view task) {
  Edit model(directory);
  const auto& history = model.manifest.history;
  Generation undone = model.manifest.current();
  const TaskRecord now = find_task(undone, task);
  const std::size_t first = first_like_now(history, now);
  const Generation* const before = first == 0 ? nullptr : &history[first - 1];
  const TaskRecord* const earlier = before == nullptr ? nullptr : find_id(*before, now.id);

  const auto record = std::ranges::find(undone.tasks, now.id, &TaskRecord::id);
  if (earlier != nullptr) {
    *record = *earlier;
  } else {
    undone.tasks.erase(record);
  }
  CADENZA_REQUIRE(!undone.tasks.empty(), ErrorCode::kInvalidArgument, "task '", task,
                  "': no task would be left in ", directory.path().string(),
                  "; to be rid of the model, remove its folder");
  const bool is_relearned = earlier == nullptr || earlier->state != now.state;
  if (is_relearned && !is_shared_piece_unchanged(history, first)) {
    CADENZA_REQUIRE(before != nullptr && has_same_states(undone, *before), ErrorCode::kUnsupported,
                    "task '", task,
                    "': other tasks were learned with it or since and share "
                    "parameters with it; take those back first (`cadenza task undo` without "
                    "--task)");
    undone.shared = before->shared;
  }
  undone.change = cat("undo ", task);
  model.commit_next(std::move(undone));
}

std::uint64_t prune(const ModelDirectory& directory) {
  Edit model(directory);
  const auto n_bytes_before = directory.check().n_bytes;
  auto& history = model.manifest.history;
  history.erase(history.begin(), history.end() - 1);
  model.commit();
  return n_bytes_before - directory.check().n_bytes;
}

}  // namespace cadenza
