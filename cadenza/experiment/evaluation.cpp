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

Json truth_of(const Sample& sample) {
  return {{"file", sample.file.string()},
          {"true_task", sample.task},
          {"true_label", sample.is_defect ? "defect" : "normal"}};
}

/// Bytes of file names that are no UTF-8 become U+FFFD.
std::string to_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string prediction_line(const Sample& sample, const Verdict& verdict, const Json& shown) {
  Json line = truth_of(sample);
  line.update(to_json(verdict));
  line.update(shown);
  return to_line(line);
}

/// Of one file and not of the method or the machine: the other images can still be judged.
bool is_of_the_input(ErrorCode code) {
  return code == ErrorCode::kInvalidArgument || code == ErrorCode::kNotFound ||
         code == ErrorCode::kCorruptData || code == ErrorCode::kUnsupported ||
         code == ErrorCode::kLimitExceeded || code == ErrorCode::kIo;
}

Json error_json(const Error& error) {
  return {{"code", to_string(error.code())}, {"message", error.what()}};
}

}  // namespace

bool tells_task(const ExperimentSettings& settings, const MethodInfo& info) {
  return settings.known_task || !info.picks_task;
}

Verdict Evaluator::score(const Method& method, std::span<const TaskCalibration> calibrations,
                         const Sample& sample) const {
  return score(method, calibrations, sample, read_file(sample.file));
}

Verdict Evaluator::score(const Method& method, std::span<const TaskCalibration> calibrations,
                         const Sample& sample, std::span<const std::byte> bytes) const {
  ScoreImageOptions options{.makes_map = true};
  const auto own = std::ranges::find(calibrations, sample.task, &TaskCalibration::name);
  const bool is_learned = own != calibrations.end();
  if (is_learned && tells_task(settings_, method.info())) options.task = own->id;
  // Zero shot: a task that is still to come is judged by the newest where nothing routes.
  const bool needs_stand_in = !is_learned && !method.info().picks_task && !calibrations.empty();
  if (needs_stand_in) options.task = calibrations.back().id;
  const auto name = sample.file.string();
  auto verdict = parts_.score_image(method, calibrations, bytes, name, options);
  CADENZA_REQUIRE(verdict.score.has_value(), ErrorCode::kInternal, name, ": got no score");
  return verdict;
}

Evaluation Evaluator::evaluate(const Method& method, std::span<const TaskCalibration> calibrations,
                               std::span<const std::string> tasks, const Show& show,
                               std::stop_token stop, Progress& progress) const {
  const auto start = std::chrono::steady_clock::now();
  std::int64_t n_images = 0;
  for (const auto& task : tasks) n_images += std::ssize(images_.of_task.at(task));
  progress.begin("evaluation", n_images);

  Evaluation evaluation;
  auto& summary = evaluation.summary;
  auto notes = Json::array(), failures = Json::array();
  LatencyMeter latency;
  const auto pooled = parts_.make_meter({.has_pixels = false});
  for (const auto& task : tasks) {
    const auto meter = parts_.make_meter({.pixel_size = settings_.pixel_size});
    Counts normal, defect;
    for (const auto& sample : images_.of_task.at(task)) {
      CADENZA_REQUIRE(!stop.stop_requested(), ErrorCode::kCancelled, "evaluation was stopped");
      progress.advance(1);
      std::vector<std::byte> bytes;
      Verdict verdict;
      try {
        bytes = read_file(sample.file);
        verdict = score(method, calibrations, sample, bytes);
        meter->add(sample, verdict);
      } catch (const Error& error) {
        if (!is_of_the_input(error.code())) throw;
        auto line = truth_of(sample);
        line["error"] = error_json(error);
        evaluation.predictions += to_line(line);
        failures.push_back({{"file", line["file"]}, {"error", line["error"]}});
        progress.warn(error.what());
        continue;
      }
      Json shown = Json::object();
      if (show) shown = show(sample, bytes, verdict);
      pooled->add(sample, verdict);
      (sample.is_defect ? defect : normal).add(verdict);
      latency.add(verdict.clock);
      evaluation.predictions += prediction_line(sample, verdict, shown);
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
  if (!failures.empty()) {
    notes.push_back(cat(failures.size(), " of ", n_images,
                        " images could not be judged and are "
                        "left out; the first: ",
                        failures[0]["error"]["message"].get<std::string>()));
  }
  summary["failures"] = failures;
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
      try {
        meter->add(sample, score(method, calibrations, sample));
      } catch (const Error& error) {
        if (!is_of_the_input(error.code())) throw;
      }
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
