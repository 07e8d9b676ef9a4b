#include "cadenza/experiment/test_model.h"

#include <algorithm>
#include <array>
#include <vector>

#include "cadenza/base/error.h"
#include "cadenza/base/suggest.h"
#include "cadenza/experiment/evaluation.h"
#include "cadenza/experiment/machine.h"
#include "cadenza/experiment/results.h"
#include "cadenza/experiment/stream_data.h"

namespace cadenza {
namespace {

TestImages images_of(const Dataset& dataset, std::span<const std::string> tasks) {
  TestImages images;
  for (const auto& task : tasks) images.of_task[task];
  for (const auto& sample : dataset.samples) {
    const bool is_asked = images.of_task.contains(sample.task) && sample.split == Split::kTest;
    if (is_asked) images.of_task[sample.task].push_back(sample);
  }
  return images;
}

std::vector<std::string> names_of(std::span<const TaskCalibration> tasks) {
  std::vector<std::string> names;
  for (const auto& task : tasks) names.push_back(task.name);
  return names;
}

}  // namespace

ModelTest test_model(const Method& method, std::span<const TaskCalibration> calibrations,
                     const Dataset& dataset, const ExperimentSettings& settings,
                     const ExperimentParts& parts, std::stop_token stop, Progress& progress,
                     const Evaluator::Show& show) {
  TaskStream stream;
  Json learned = {{"seconds", 0}, {"notes", Json::array()}, {"bytes", Json::object()}};
  learned["calibrations"] = Json::array();
  for (const auto& task : calibrations) {
    if (std::ranges::find(dataset.tasks, task.name) == dataset.tasks.end()) continue;
    stream.order.push_back(task.name);
    learned["calibrations"].push_back(
        {{"name", task.name}, {"threshold", task.threshold ? Json(*task.threshold) : Json()}});
  }
  CADENZA_REQUIRE(!stream.order.empty(), ErrorCode::kInvalidArgument,
                  "the model and the data have no task in common; the model knows ",
                  join(names_of(calibrations)), "; the data have ", join(dataset.tasks));
  stream.steps = {stream.order};

  const auto images = images_of(dataset, stream.order);
  auto evaluation = Evaluator(settings, parts, images)
                        .evaluate(method, calibrations, stream.order, show, stop, progress);
  const auto peak = peak_resident_bytes();
  const auto& info = method.info();
  const Json facts = {{"options", settings.options},
                      {"network", describe_network(info)},
                      {"known_task", tells_task(settings, info)},
                      {"peak_rss", peak ? Json(*peak) : Json(nullptr)},
                      {"environment", describe_machine(parts.environment.n_threads)}};
  auto results =
      make_results(settings, stream, 0, std::array{learned}, std::array{evaluation.summary}, facts);
  for (const auto* key : {"matrix", "continual", "protocol", "mode", "seed", "steps"}) {
    results.erase(key);
  }
  return {.results = std::move(results), .predictions = std::move(evaluation.predictions)};
}

}  // namespace cadenza
