#include "cadenza/experiment/paper_epochs.h"

#include <utility>

#include "cadenza/base/file.h"
#include "cadenza/experiment/results.h"

namespace cadenza {
namespace {

Json metrics_of(const EpochEnsemble& ensemble) {
  Json tasks = Json::object();
  for (const auto& [task, metrics] : ensemble.measure()) {
    tasks[task] = Json::object();
    for (const auto& [name, value] : metrics.values) {
      tasks[task][name] = value ? Json(*value) : Json(nullptr);
    }
  }
  return tasks;
}

/// Metrics by task over all steps' bests of one kind ("kept", "larger").
std::map<std::string, Json> rows_of(const std::vector<Json>& files, const char* kind) {
  std::map<std::string, Json> rows;
  for (const auto& file : files) {
    if (file.is_null() || file.at(kind).is_null()) continue;
    for (const auto& [task, metrics] : file.at(kind).at("tasks").items()) {
      rows[task] = metrics;
      rows[task]["epoch"] = file.at(kind).at("epoch").get<std::int64_t>() + 1;
    }
  }
  return rows;
}

Json mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const auto value : values) sum += value;
  return values.empty() ? Json(nullptr) : Json(sum / static_cast<double>(values.size()));
}

}  // namespace

PaperEpochs::PaperEpochs(const Evaluator& evaluator, const ExperimentSettings& settings,
                         const ExperimentParts& parts, const TestImages& images,
                         std::vector<std::string> tasks, std::vector<TaskCalibration> calibrations,
                         std::filesystem::path file)
    : evaluator_(evaluator),
      parts_(parts),
      calibrations_(std::move(calibrations)),
      file_(std::move(file)),
      kept_{.ensemble = {images, tasks, parts.make_meter, settings.pixel_size}},
      larger_{.ensemble = {images, std::move(tasks), parts.make_meter, settings.pixel_size}} {}

bool PaperEpochs::judge(Best& best, std::int64_t epoch, const Method& method) const {
  best.ensemble.add_epoch(
      [&](const Sample& sample) { return evaluator_.score(method, calibrations_, sample); });
  const auto value = best.ensemble.image_auroc();
  if (best.value && value <= *best.value) return false;
  best.value = value;
  best.record = {{"epoch", epoch}, {"tasks", metrics_of(best.ensemble)}};
  return true;
}

EpochChoice PaperEpochs::operator()(std::int64_t epoch, const Method& method) {
  const bool is_best = judge(kept_, epoch, method);
  const bool is_perfect = is_best && *kept_.value == 1;
  // The authors' program leaves the epoch loop before it looks at the larger memory.
  if (!is_perfect) {
    const auto larger =
        parts_.with_larger_memory ? parts_.with_larger_memory(method) : method.with_larger_memory();
    if (larger) judge(larger_, epoch, *larger);
  }
  const Json record = {{"n_epochs", epoch + 1}, {"kept", kept_.record}, {"larger", larger_.record}};
  write_file_atomic(file_, record.dump(1) + "\n");
  return is_perfect ? EpochChoice::kKeepAndStop : is_best ? EpochChoice::kKeep : EpochChoice::kPass;
}

Json epoch_ensemble_json(const std::vector<Json>& files, const std::vector<std::string>& order) {
  const auto kept = rows_of(files, "kept"), larger = rows_of(files, "larger");
  if (kept.empty()) return nullptr;
  Json out = Json::object();
  for (const auto name : kMetricNames) {
    const std::string metric(name);
    std::vector<double> values, kept_of_both, larger_of_both;
    for (const auto& task : order) {
      const auto own = kept.find(task), beside = larger.find(task);
      const auto value = own == kept.end() ? Json(nullptr) : own->second.value(metric, Json());
      out[metric][task] = value;
      if (!value.is_number()) continue;
      values.push_back(value);
      if (beside == larger.end() || !beside->second.contains(metric) ||
          !beside->second.at(metric).is_number()) {
        continue;
      }
      kept_of_both.push_back(value);
      larger_of_both.push_back(beside->second.at(metric));
    }
    out[metric]["mean"] = mean_of(values);
    const auto above = mean_of(larger_of_both), below = mean_of(kept_of_both);
    out["memory_gap"][metric] =
        above.is_null() ? Json(nullptr) : Json(above.get<double>() - below.get<double>());
  }
  for (const auto& [task, row] : kept) out["epoch"][task] = row.at("epoch");
  return out;
}

}  // namespace cadenza
