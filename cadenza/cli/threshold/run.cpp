#include "cadenza/cli/run.h"

#include <ostream>

#include "cadenza/base/error.h"
#include "cadenza/cli/model_access.h"
#include "cadenza/inspector/edit.h"
#include "cadenza/inspector/inspector.h"
#include "cadenza/inspector/model_directory.h"

namespace cadenza {

namespace {

void tell(const CommandContext& context, const ModelDirectory& directory,
          const std::vector<TaskRecord>& tasks) {
  if (context.invocation.flag("json")) {
    Json result = {{"model", directory.path().string()}, {"tasks", Json::array()}};
    for (const auto& task : tasks) result["tasks"].push_back(to_json(task));
    context.out << result.dump(2) << '\n';
    return;
  }
  for (const auto& task : tasks) {
    context.out << task.name << ": " << threshold_text(task.threshold) << '\n';
  }
}

std::vector<TaskRecord> asked_tasks(const CommandContext& context,
                                    const ModelDirectory& directory) {
  const Manifest manifest = directory.read_manifest();
  if (!context.invocation.has("task")) return manifest.current().tasks;
  return {find_task(manifest.current(), context.invocation.text("task"))};
}

void set(const CommandContext& context, const ModelDirectory& directory) {
  const auto& given = context.invocation;
  CADENZA_REQUIRE(given.has("value") != given.has("target_fpr"), ErrorCode::kInvalidArgument,
                  "threshold set: give either --value or --target-fpr");
  if (given.has("value")) {
    set_threshold(directory, given.text("task"), given.real("value"));
  } else {
    auto inspector = Inspector::open(
        directory.path(), {.environment = environment_of(context), .methods = &context.methods});
    inspector.set_target_fpr(given.text("task"), given.real("target_fpr"));
  }
}

int run_threshold(const CommandContext& context) {
  const ModelDirectory directory(context.invocation.text("model"));
  if (context.invocation.command == "threshold set") set(context, directory);
  tell(context, directory, asked_tasks(context, directory));
  return kExitDone;
}

}  // namespace

void register_threshold(RunTable& table) { table.add("threshold", run_threshold); }

}  // namespace cadenza
