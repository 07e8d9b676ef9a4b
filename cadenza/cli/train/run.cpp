#include "cadenza/cli/run.h"

#include <chrono>
#include <ostream>

#include "cadenza/cli/model_access.h"
#include "cadenza/inspector/inspector.h"

namespace cadenza {

namespace {

int run_train(const CommandContext& context) {
  const auto& given = context.invocation;
  const auto start = std::chrono::steady_clock::now();
  auto inspector = Inspector::open_or_create(
      given.text("model"),
      {.method = given.text_or("method", ""), .options = parse_settings(given.list("set"))},
      {.environment = environment_of(context), .methods = &context.methods});
  TrainRequest request{.task = given.text("task"), .normal = {}};
  for (const auto& path : given.list("normal")) request.normal.emplace_back(path);
  request.masks = given.text_or("masks", "");
  request.target_fpr = given.real("target_fpr");
  request.seed = static_cast<std::uint64_t>(given.integer("seed"));
  request.stop = context.stop;
  request.progress = &context.progress;
  const auto report = inspector.train(request);
  context.progress.end();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;

  for (const auto& note : report.notes) context.progress.warn(note);
  if (given.flag("json")) {
    const Json result = {{"model", given.text("model")},    {"task", to_json(report.task)},
                         {"generation", report.generation}, {"held_back", report.held_back},
                         {"notes", report.notes},           {"seconds", seconds.count()}};
    context.out << result.dump(2) << '\n';
    return kExitDone;
  }
  context.out << report.task.name << ": learned from " << report.task.n_images << " images in "
              << number_text(seconds.count()) << " s; threshold "
              << threshold_text(report.task.threshold) << "; " << report.task.state.n_bytes
              << " bytes\n";
  if (!report.held_back.empty()) {
    context.out << report.held_back.size()
                << " images were held back for the threshold: every fifth, from "
                << report.held_back.front() << " on\n";
  }
  return kExitDone;
}

}  // namespace

void register_train(RunTable& table) { table.add("train", run_train); }

}  // namespace cadenza
