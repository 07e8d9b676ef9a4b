#include "cadenza/cli/run.h"

#include <algorithm>
#include <ostream>

#include "cadenza/base/error.h"
#include "cadenza/cli/model_access.h"
#include "cadenza/inspector/edit.h"
#include "cadenza/inspector/model_directory.h"

namespace cadenza {

namespace {

/// These commands need neither the network nor the state, only the manifest.
class TaskCommand {
 public:
  explicit TaskCommand(const CommandContext& context)
      : given_(context.invocation), out_(context.out), directory_(given_.text("model")) {}

  int run() {
    const std::string verb = given_.command.substr(given_.command.find(' ') + 1);
    if (verb == "list") return list();
    if (verb == "show") return show();
    if (verb == "rename") return rename();
    if (verb == "undo") return undo_change();
    CADENZA_DCHECK(verb == "prune");
    return prune_history();
  }

 private:
  int list() const {
    const Manifest manifest = directory_.read_manifest();
    const auto& tasks = manifest.current().tasks;
    if (given_.flag("json")) {
      Json result = model_json(manifest);
      result["tasks"] = Json::array();
      for (const auto& task : tasks) result["tasks"].push_back(to_json(task));
      out_ << result.dump(2) << '\n';
      return kExitDone;
    }
    out_ << directory_.path().string() << ": method " << manifest.method << ", generation "
         << manifest.current().number << ", " << tasks.size()
         << (tasks.size() == 1 ? " product\n" : " products\n");
    for (const auto& task : tasks) {
      out_ << "  " << task.name << ": " << task.n_images << " images, threshold "
           << threshold_text(task.threshold) << ", " << task.state.n_bytes << " bytes\n";
    }
    return kExitDone;
  }

  int show() const {
    const Manifest manifest = directory_.read_manifest();
    const TaskRecord task = find_task(manifest.current(), given_.text("task"));
    Json history = Json::array();
    const TaskRecord* before = nullptr;
    for (const auto& generation : manifest.history) {
      const auto found = std::ranges::find(generation.tasks, task.id, &TaskRecord::id);
      const auto* const now = found == generation.tasks.end() ? nullptr : &*found;
      const bool is_changed = (now == nullptr) != (before == nullptr) ||
                              (now != nullptr && before != nullptr && *now != *before);
      if (is_changed) {
        history.push_back({{"generation", generation.number},
                           {"written", generation.written},
                           {"change", generation.change}});
      }
      before = now;
    }
    if (given_.flag("json")) {
      Json result = to_json(task);
      result["state"] = task.state.sha256;
      result["history"] = history;
      out_ << result.dump(2) << '\n';
      return kExitDone;
    }
    out_ << task.name << '\n'
         << "  learned    " << task.n_images << " images, " << task.learned << '\n'
         << "  threshold  " << threshold_text(task.threshold) << '\n'
         << "  rejects    "
         << (task.reject_above ? cat("beyond distance ", number_text(*task.reject_above))
                               : "nothing")
         << '\n'
         << "  map        "
         << (task.map_threshold ? cat("outside of normal above ", number_text(*task.map_threshold))
                                : "no threshold")
         << '\n'
         << "  state      " << task.state.n_bytes << " bytes, " << task.state.sha256.substr(0, 12)
         << '\n';
    for (const auto& change : history) {
      out_ << "  generation " << change["generation"] << "  "
           << change["written"].get<std::string>() << "  " << change["change"].get<std::string>()
           << '\n';
    }
    return kExitDone;
  }

  int rename() const {
    rename_task(directory_, given_.text("task"), given_.text("to"));
    return tell_generation(cat(given_.text("task"), " is now ", given_.text("to")));
  }

  int undo_change() const {
    if (given_.has("task")) {
      undo_task(directory_, given_.text("task"));
      return tell_generation(cat("took back the last change of ", given_.text("task")));
    }
    const std::string change = directory_.read_manifest().current().change;
    undo(directory_);
    return tell_generation("took back: " + change);
  }

  int prune_history() const {
    const auto n_generations = directory_.read_manifest().history.size() - 1;
    const auto n_bytes = prune(directory_);
    if (given_.flag("json")) {
      Json result = model_json(directory_.read_manifest());
      result["forgotten"] = n_generations;
      result["freed_bytes"] = n_bytes;
      out_ << result.dump(2) << '\n';
      return kExitDone;
    }
    return tell_generation(
        cat("forgot ", n_generations, " generations, freed ", n_bytes, " bytes"));
  }

  int tell_generation(const std::string& what) const {
    const Manifest manifest = directory_.read_manifest();
    if (given_.flag("json")) {
      out_ << model_json(manifest).dump(2) << '\n';
    } else {
      out_ << what << "; generation " << manifest.current().number << '\n';
    }
    return kExitDone;
  }

  Json model_json(const Manifest& manifest) const {
    return {{"model", directory_.path().string()},
            {"method", manifest.method},
            {"network", manifest.network},
            {"generation", manifest.current().number},
            {"generations", manifest.history.size()},
            {"change", manifest.current().change},
            {"digest", manifest.digest()}};
  }

  const Invocation& given_;
  std::ostream& out_;
  ModelDirectory directory_;
};

int run_task(const CommandContext& context) { return TaskCommand(context).run(); }

}  // namespace

void register_task(RunTable& table) { table.add("task", run_task); }

}  // namespace cadenza
