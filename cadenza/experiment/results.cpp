#include "cadenza/experiment/results.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <vector>

#include "cadenza/base/error.h"
#include "cadenza/metric/continual_scores.h"
#include "cadenza/metric/interval.h"

namespace cadenza {
namespace {

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

std::optional<double> number(const Json& value) {
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

/// One seed's run as its steps left it.
class Results {
 public:
  Results(const ExperimentSettings& settings, const TaskStream& stream,
          std::span<const Json> training, std::span<const Json> evaluations)
      : settings_(settings), stream_(stream), training_(training), evaluations_(evaluations) {
    CADENZA_REQUIRE(
        training.size() == stream.steps.size() && evaluations.size() == stream.steps.size(),
        ErrorCode::kInvalidArgument, "results: ", stream.steps.size(), " steps, but ",
        training.size(), " training and ", evaluations.size(), " evaluation records");
    for (std::size_t step = 0; step < stream.steps.size(); ++step) {
      for (std::size_t task = 0; task < stream.steps[step].size(); ++task) {
        learned_in_.push_back(static_cast<std::int64_t>(step));
      }
    }
  }

  void add_metrics(Json& out) const {
    for (const auto name : kMetricNames) {
      const std::string metric(name);
      const auto matrix = matrix_of(metric);
      Json rows = Json::array();
      for (const auto& row : matrix) {
        Json values = Json::array();
        for (const auto& value : row) values.push_back(or_null(value));
        rows.push_back(values);
      }
      out["matrix"][metric] = rows;

      Json last = Json::object();
      for (std::size_t task = 0; task < stream_.order.size(); ++task) {
        last[stream_.order[task]] = or_null(matrix.back()[task]);
      }
      const bool is_area = metric.ends_with("AUROC");
      const auto scores =
          continual_scores(matrix, learned_in_, is_area ? std::optional(0.5) : std::nullopt);
      last["mean"] = or_null(scores.final_mean);
      out["final"][metric] = last;
      out["continual"][metric] = {{"ACC", or_null(scores.final_mean)},
                                  {"forgetting", or_null(scores.forgetting)},
                                  {"forgetting_inclusive", or_null(scores.forgetting_inclusive)},
                                  {"BWT", or_null(scores.backward_transfer)},
                                  {"FWT", or_null(scores.forward_transfer)},
                                  {"average_incremental", or_null(scores.average_incremental)},
                                  {"forgetting_iuf", or_null(scores.forgetting_iuf)}};
    }
    out["pooled"] = evaluations_.back().at("pooled");
  }

  Json routing() const {
    std::int64_t n_rejected = 0, n_images = 0;
    std::map<std::string, std::array<std::int64_t, 2>> right_of_all;  // by kind of image
    Json confusion = Json::array();
    for (const auto& task : stream_.order) {
      std::map<std::string, std::int64_t> row;
      for (const auto* kind : {"normal", "defect"}) {
        const auto& counts = counts_of(task, kind);
        for (const auto& [picked, n] : counts.at("routed").items()) {
          row[picked] += n.template get<std::int64_t>();
        }
        const auto& routed = counts.at("routed");
        auto& [right, all] = right_of_all[kind];
        right += routed.contains(task) ? routed.at(task).get<std::int64_t>() : 0;
        all += counts.at("images").get<std::int64_t>();
        n_rejected += counts.at("rejected").get<std::int64_t>();
        n_images += counts.at("images").get<std::int64_t>();
      }
      Json cells = Json::array();
      for (const auto& picked : stream_.order) cells.push_back(row[picked]);
      confusion.push_back(cells);
    }
    const auto& [normal_right, n_normal] = right_of_all["normal"];
    const auto& [defect_right, n_defect] = right_of_all["defect"];
    return {{"accuracy", share(normal_right + defect_right, n_normal + n_defect)},
            {"accuracy_normal", share(normal_right, n_normal)},
            {"accuracy_defect", share(defect_right, n_defect)},
            {"rejected", share(n_rejected, n_images)},
            {"confusion", confusion}};
  }

  Json calibration(Json& notes) const {
    Json out = {{"target_fpr", settings_.target_fpr}};
    std::array<std::int64_t, 5> pooled{};  // normals, flagged ones, defects, flagged, called defect
    for (const auto* key : {"realised_fpr", "interval95", "recall", "recall_defect"}) {
      out[key] = Json::object();
    }
    for (const auto& task : stream_.order) {
      const bool has_threshold = has_threshold_for(task);
      if (!has_threshold) notes.push_back(cat(task, ": no threshold, so no realised rates"));
      const auto n = [&](const char* kind, const char* what) {
        return counts_of(task, kind).at(what).get<std::int64_t>();
      };
      const std::array<std::int64_t, 5> counts = {n("normal", "images"), n("normal", "flagged"),
                                                  n("defect", "images"), n("defect", "flagged"),
                                                  n("defect", "defect")};
      add_rates(out, task, has_threshold ? counts : std::array<std::int64_t, 5>{});
      for (std::size_t index = 0; has_threshold && index < counts.size(); ++index) {
        pooled[index] += counts[index];
      }
    }
    add_rates(out, "pooled", pooled);
    return out;
  }

  Json seconds() const {
    Json out = {{"train", Json::array()}, {"evaluate", Json::array()}};
    for (const auto& record : training_) out["train"].push_back(record.at("seconds"));
    for (const auto& record : evaluations_) out["evaluate"].push_back(record.at("seconds"));
    return out;
  }

 private:
  static Json share(std::int64_t count, std::int64_t n) {
    return n == 0 ? Json(nullptr) : Json(static_cast<double>(count) / static_cast<double>(n));
  }

  static void add_rates(Json& out, const std::string& name,
                        const std::array<std::int64_t, 5>& counts) {
    const auto& [n_normal, n_false, n_defect, n_flagged, n_called_defect] = counts;
    out["realised_fpr"][name] = share(n_false, n_normal);
    out["interval95"][name] = nullptr;
    if (n_normal > 0) {
      const auto interval = clopper_pearson(n_false, n_normal);
      out["interval95"][name] = {interval.low, interval.high};
    }
    out["recall"][name] = share(n_flagged, n_defect);
    out["recall_defect"][name] = share(n_called_defect, n_defect);
  }

  MetricMatrix matrix_of(const std::string& metric) const {
    MetricMatrix matrix;
    for (const auto& evaluation : evaluations_) {
      auto& row = matrix.emplace_back();
      for (const auto& task : stream_.order) {
        const auto& tasks = evaluation.at("tasks");
        row.push_back(tasks.contains(task)
                          ? number(tasks.at(task).at("metrics").value(metric, Json()))
                          : std::nullopt);
      }
    }
    return matrix;
  }

  const Json& counts_of(const std::string& task, const char* kind) const {
    return evaluations_.back().at("tasks").at(task).at(kind);
  }

  bool has_threshold_for(const std::string& task) const {
    const auto& known = training_.back().at("calibrations");
    const auto found =
        std::ranges::find_if(known, [&](const Json& one) { return one.at("name") == task; });
    return found != known.end() && !found->at("threshold").is_null();
  }

  const ExperimentSettings& settings_;
  const TaskStream& stream_;
  std::span<const Json> training_, evaluations_;
  std::vector<std::int64_t> learned_in_;
};

void add_notes(Json& notes, std::span<const Json> records) {
  for (const auto& record : records) {
    for (const auto& note : record.at("notes")) {
      if (std::ranges::find(notes, note) == notes.end()) notes.push_back(note);
    }
  }
}

Json mean_and_deviation(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (const auto value : values) sum += value;
  for (const auto value : values) squares += (value - sum / n) * (value - sum / n);
  const bool has_deviation = values.size() > 1;
  return {{"mean", sum / n},
          {"sd", has_deviation ? Json(std::sqrt(squares / (n - 1))) : Json(nullptr)},
          {"n", values.size()}};
}

/// The same object with every number replaced by its mean and deviation over `results`; lists are
/// left out.
Json summarise(const std::vector<const Json*>& results) {
  Json out = Json::object();
  for (const auto& [key, first] : results.front()->items()) {
    if (first.is_array()) continue;
    std::vector<const Json*> members;
    std::vector<double> numbers;
    for (const auto* result : results) {
      if (!result->contains(key)) continue;
      const auto& member = result->at(key);
      if (member.is_object()) members.push_back(&member);
      if (member.is_number()) numbers.push_back(member.template get<double>());
    }
    if (!members.empty()) {
      out[key] = summarise(members);
    } else {
      out[key] = numbers.empty() ? Json(nullptr) : mean_and_deviation(numbers);
    }
  }
  return out;
}

std::string csv_number(const Json& value) { return value.is_null() ? "" : value.dump(); }

}  // namespace

Json make_results(const ExperimentSettings& settings, const TaskStream& stream, std::uint64_t seed,
                  std::span<const Json> training, std::span<const Json> evaluations,
                  const Json& facts) {
  const Results run(settings, stream, training, evaluations);
  Json out = {{"format", 1}, {"method", settings.method}};
  out["options"] = facts.at("options");
  out["strategy"] = settings.strategy.empty() ? Json(nullptr) : Json(settings.strategy);
  out["network"] = facts.at("network");
  out["protocol"] = settings.protocol;
  out["mode"] = to_string(settings.mode);
  out["test_selected"] = settings.mode == RunMode::kPaper;
  out["known_task"] = facts.at("known_task");
  out["seed"] = seed;
  out["order"] = stream.order;
  out["steps"] = stream.steps;

  Json notes = Json::array();
  if (settings.mode == RunMode::kPaper) {
    notes.push_back("test-selected: each step's epoch was chosen on its test images");
  }
  if (settings.known_task) notes.push_back("oracle: the task was told at test");
  add_notes(notes, training);
  add_notes(notes, evaluations.last(1));
  run.add_metrics(out);
  if (facts.contains("memory_gap")) {
    for (const auto& [metric, gap] : facts.at("memory_gap").items()) {
      out["continual"][metric]["memory_gap"] = gap;
    }
  }
  if (facts.contains("epoch_ensemble")) {
    out["epoch_ensemble"] = facts["epoch_ensemble"];
    notes.push_back(
        "epoch_ensemble: test-selected: scores of all epochs up to the chosen one, each scaled "
        "over "
        "the test images, and their mean; final and matrix are of the chosen epoch's model alone");
  }
  out["routing"] = nullptr;
  if (facts.at("known_task")) {
    notes.push_back("routing: the task was told, nothing was routed");
  } else {
    out["routing"] = run.routing();
  }
  out["calibration"] = run.calibration(notes);
  out["seconds"] = run.seconds();
  out["latency_ms"] = evaluations.back().at("latency_ms");
  out["bytes"] = training.back().at("bytes");
  out["bytes"]["peak_rss"] = facts.at("peak_rss");
  out["environment"] = facts.at("environment");
  out["failures"] = evaluations.back().value("failures", Json::array());
  out["notes"] = notes;
  return out;
}

Json memory_gap(const Json& larger, const Json& kept) {
  Json gaps = Json::object();
  for (const auto name : kMetricNames) {
    const std::string metric(name);
    double sum = 0;
    std::int64_t n_tasks = 0;
    for (const auto& [task, result] : larger.at("tasks").items()) {
      const auto above = number(result.at("metrics").value(metric, Json()));
      const auto below = number(kept.at("tasks").at(task).at("metrics").value(metric, Json()));
      if (!above || !below) continue;
      sum += *above - *below;
      ++n_tasks;
    }
    if (n_tasks > 0) gaps[metric] = sum / static_cast<double>(n_tasks);
  }
  return gaps;
}

Json make_summary(std::span<const Json> results) {
  CADENZA_REQUIRE(!results.empty(), ErrorCode::kInvalidArgument, "summary: no results");
  Json out = {{"format", 1}};
  for (const auto* key :
       {"method", "options", "strategy", "protocol", "mode", "test_selected", "known_task"}) {
    out[key] = results.front().at(key);
  }
  out["seeds"] = Json::array();
  for (const auto& result : results) out["seeds"].push_back(result.at("seed"));
  for (const auto* key : {"final", "continual", "pooled", "routing", "calibration"}) {
    std::vector<const Json*> members;
    for (const auto& result : results) {
      if (result.at(key).is_object()) members.push_back(&result.at(key));
    }
    out[key] = members.empty() ? Json(nullptr) : summarise(members);
  }
  std::vector<const Json*> joined;
  for (const auto& result : results) {
    if (result.contains("epoch_ensemble")) joined.push_back(&result.at("epoch_ensemble"));
  }
  if (!joined.empty()) out["epoch_ensemble"] = summarise(joined);
  return out;
}

std::string results_csv(std::span<const Json> results) {
  std::string text = "seed,task";
  for (const auto name : kMetricNames) text += cat(",", name);
  text += "\n";
  for (const auto& result : results) {
    std::vector<std::string> rows = result.at("order");
    rows.emplace_back("mean");
    for (const auto& row : rows) {
      text += cat(result.at("seed").dump(), ",", row);
      for (const auto name : kMetricNames) {
        text += cat(",", csv_number(result.at("final").at(std::string(name)).at(row)));
      }
      text += "\n";
    }
  }
  return text;
}

std::string matrix_csv(std::span<const Json> results) {
  std::string text = "seed,metric,step,task,value\n";
  for (const auto& result : results) {
    const auto& order = result.at("order");
    for (const auto& [metric, rows] : result.at("matrix").items()) {
      for (std::size_t step = 0; step < rows.size(); ++step) {
        for (std::size_t task = 0; task < order.size(); ++task) {
          text += cat(result.at("seed").dump(), ",", metric, ",", step, ",",
                      order[task].get<std::string>(), ",", csv_number(rows[step][task]), "\n");
        }
      }
    }
  }
  return text;
}

}  // namespace cadenza
