#include "cadenza/experiment/evaluation.h"

#include <algorithm>
#include <chrono>

#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/experiment/latency.h"

namespace cadenza {
namespace {

struct Counts {
  std::int64_t n_images = 0, n_flagged = 0, n_defect = 0, n_rejected = 0;
  std::map<std::string, std::int64_t> routed;

  void add(const Verdict& verdict) {
    ++n_images;
    n_flagged += verdict.label != Label::kNormal;
    n_defect += verdict.label == Label::kDefect;
    n_rejected += verdict.is_rejected;
    if (verdict.task) ++routed[*verdict.task];
  }

  Json json() const {
    return {{"images", n_images},
            {"flagged", n_flagged},
            {"defect", n_defect},
            {"rejected", n_rejected},
            {"routed", routed}};
  }
};

Json metrics_json(const MetricValues& metrics) {
  Json json = Json::object();
  for (const auto& [name, value] : metrics.values)
    json[name] = value ? Json(*value) : Json(nullptr);
  return json;
}

std::string prediction_line(const Sample& sample, const Verdict& verdict) {
  Json line = {{"file", sample.file.string()},
               {"true_task", sample.task},
               {"true_label", sample.is_defect ? "defect" : "normal"}};
  line.update(to_json(verdict));
  return line.dump() + "\n";
}

}  // namespace

bool tells_task(const ExperimentSettings& settings, const MethodInfo& info) {
  return settings.known_task || !info.picks_task;
}

Verdict Evaluator::score(const Method& method, std::span<const TaskCalibration> calibrations,
                         const Sample& sample) const {
  ScoreImageOptions options{.makes_map = true};
  const auto own = std::ranges::find(calibrations, sample.task, &TaskCalibration::name);
  const bool is_learned = own != calibrations.end();
  if (is_learned && tells_task(settings_, method.info())) options.task = own->id;
  // Zero shot: a task that is still to come is judged by the newest where nothing routes.
  const bool needs_stand_in = !is_learned && !method.info().picks_task && !calibrations.empty();
  if (needs_stand_in) options.task = calibrations.back().id;
  const auto name = sample.file.string();
  auto verdict = parts_.score_image(method, calibrations, read_file(sample.file), name, options);
  CADENZA_REQUIRE(verdict.score.has_value(), ErrorCode::kInternal, name, ": got no score");
  return verdict;
}

Evaluation Evaluator::evaluate(const Method& method, std::span<const TaskCalibration> calibrations,
                               std::span<const std::string> tasks, std::stop_token stop,
                               Progress& progress) const {
  const auto start = std::chrono::steady_clock::now();
  std::int64_t n_images = 0;
  for (const auto& task : tasks) n_images += std::ssize(images_.of_task.at(task));
  progress.begin("evaluation", n_images);

  Evaluation evaluation;
  auto& summary = evaluation.summary;
  auto notes = Json::array();
  LatencyMeter latency;
  const auto pooled = parts_.make_meter({.has_pixels = false});
  for (const auto& task : tasks) {
    const auto meter = parts_.make_meter({.pixel_size = settings_.pixel_size});
    Counts normal, defect;
    for (const auto& sample : images_.of_task.at(task)) {
      CADENZA_REQUIRE(!stop.stop_requested(), ErrorCode::kCancelled, "evaluation was stopped");
      const auto verdict = score(method, calibrations, sample);
      meter->add(sample, verdict);
      pooled->add(sample, verdict);
      (sample.is_defect ? defect : normal).add(verdict);
      latency.add(verdict.clock);
      evaluation.predictions += prediction_line(sample, verdict);
      progress.advance(1);
    }
    const auto metrics = meter->measure();
    summary["tasks"][task] = {
        {"metrics", metrics_json(metrics)}, {"normal", normal.json()}, {"defect", defect.json()}};
    for (const auto& note : metrics.notes) notes.push_back(cat(task, ": ", note));
  }
  progress.end();
  const auto all = pooled->measure();
  summary["pooled"] = metrics_json(all);
  for (const auto& note : all.notes) notes.push_back(cat("pooled: ", note));
  summary["latency_ms"] = latency.percentiles();
  if (summary["latency_ms"].is_null()) {
    notes.push_back(cat("latency_ms: ", latency.n_counted(), " images after ",
                        LatencyMeter::kWarmUps, " warm-ups, at least ", LatencyMeter::kLeastImages,
                        " are needed"));
  }
  summary["notes"] = notes;
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  summary["seconds"] = seconds.count();
  return evaluation;
}

double Evaluator::mean_metric(const Method& method, std::span<const TaskCalibration> calibrations,
                              std::span<const std::string> tasks, const std::string& metric) const {
  double sum = 0;
  std::int64_t n_defined = 0;
  for (const auto& task : tasks) {
    const auto meter = parts_.make_meter({.has_pixels = false});
    for (const auto& sample : images_.of_task.at(task)) {
      meter->add(sample, score(method, calibrations, sample));
    }
    const auto value = meter->measure().values.at(metric);
    if (!value) continue;
    sum += *value;
    ++n_defined;
  }
  CADENZA_REQUIRE(n_defined > 0, ErrorCode::kInvalidArgument, metric,
                  " is defined for no task: each needs normal and defect images");
  return sum / static_cast<double>(n_defined);
}

}  // namespace cadenza
