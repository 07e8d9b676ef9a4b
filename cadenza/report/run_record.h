#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cadenza/base/json.h"
#include "cadenza/metric/continual_scores.h"

namespace cadenza {

/// What one task's threshold did on test images.
struct TaskRates {
  std::optional<double> realised_fpr;
  std::optional<std::array<double, 2>> interval95;
  std::optional<double> recall;         ///< defects that were called anything but normal
  std::optional<double> recall_defect;  ///< defects that were called defect
};

struct RoutingRecord {
  std::optional<double> accuracy, accuracy_normal, accuracy_defect, rejected;
  std::vector<std::vector<std::int64_t>> confusion;  ///< [true task][picked task], in order
};

/// p50, p95, p99 of one stage in milliseconds.
using Percentiles = std::array<double, 3>;

/// One seed's results.json.
struct SeedRecord {
  std::filesystem::path folder;
  std::uint64_t seed = 0;
  std::map<std::string, MetricMatrix> matrix;                                     ///< by metric
  std::map<std::string, std::optional<double>> final_mean;                        ///< by metric
  std::map<std::string, std::map<std::string, std::optional<double>>> continual;  ///< metric, name
  std::map<std::string, std::optional<double>> pooled;
  std::optional<RoutingRecord> routing;
  double target_fpr = 0.05;
  std::map<std::string, TaskRates> rates;  ///< by task, and "pooled"
  std::vector<double> train_seconds, evaluate_seconds;
  std::vector<std::pair<std::string, Percentiles>> latency_ms;  ///< empty: too few images
  std::vector<std::int64_t> state_bytes;                        ///< a task
  std::optional<std::int64_t> state_total_bytes, peak_rss_bytes;
  std::vector<std::pair<std::string, std::string>> environment;
  std::string network;
  std::vector<std::string> notes;
};

/// A run folder, read and checked: what every table and picture is made of.
struct RunRecord {
  std::filesystem::path folder;
  std::string method, strategy /* empty: none */, protocol, mode;
  bool test_selected = false, known_task = false;
  std::vector<std::pair<std::string, std::string>> options;   ///< of the method, resolved
  std::vector<std::pair<std::string, std::string>> settings;  ///< config.resolved.json, if there
  std::vector<std::string> order;
  std::vector<std::vector<std::string>> steps;
  std::vector<std::int64_t> learned_in;  ///< step of each task of `order`
  std::vector<SeedRecord> seeds;         ///< by seed; never empty
};

/// One line of predictions.jsonl.
struct PredictionRecord {
  std::filesystem::path file;
  std::string true_task;
  std::optional<bool> is_defect;    ///< absent: the truth is not known
  std::optional<std::string> task;  ///< absent: rejected
  std::optional<std::string> nearest_task;
  std::string label;
  std::optional<double> score, threshold, task_distance;
  struct Box {
    std::int64_t x, y, width, height;
  };
  std::vector<Box> regions;
};

/// Reads DIR/seed-*/results.json (and config.resolved.json). Numbers that a run lacks are absent.
/// Errors   kNotFound: no finished seed there. kCorruptData naming file and member: damaged, or its
///          parts contradict each other. kUnsupported: a newer format.
RunRecord read_run(const std::filesystem::path& folder);

/// Errors   kNotFound, kCorruptData naming file and line.
std::vector<PredictionRecord> read_predictions(const std::filesystem::path& file);

/// Images of products that were never taught, beside predictions.jsonl; written by `demo`.
inline constexpr const char* kNeverTaughtFile = "never_taught.jsonl";

}  // namespace cadenza
