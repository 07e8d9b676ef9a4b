#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cadenza/metric/continual_scores.h"
#include "cadenza/report/run_record.h"

namespace cadenza {

/// A number of a run: mean over the seeds that have it, and their standard deviation (divisor
/// n - 1; absent for one).
struct Figure {
  std::optional<double> mean, deviation;
  std::int64_t n = 0;
};

Figure figure_of(const std::vector<std::optional<double>>& values);
Figure figure_of(const RunRecord& run,
                 const std::function<std::optional<double>(const SeedRecord&)>& value_of);

enum class Unit { kShare, kDifference, kSeconds, kMilliseconds, kBytes };
enum class Better { kHigher, kLower, kNeither };
enum class FigureGroup { kImages, kPixels, kUse };  ///< what a comparison shows in one table

/// A figure that tables show, under the name it has everywhere.
struct NamedFigure {
  std::string name;     ///< "image AUROC"
  std::string meaning;  ///< half a sentence
  Unit unit = Unit::kShare;
  Better better = Better::kHigher;
  Figure figure;
  bool is_key = true;  ///< among the few that a report opens with
  FigureGroup group = FigureGroup::kUse;
};

/// What a run is worth, in a fixed order; those that it lacks are absent from `figure`.
std::vector<NamedFigure> headline_figures(const RunRecord& run);

/// Mean over seeds, entry by entry; absent where no seed has a value.
MetricMatrix mean_matrix(const RunRecord& run, const std::string& metric);
/// The standard deviation over seeds of the same entries.
MetricMatrix deviation_matrix(const RunRecord& run, const std::string& metric);

/// Metrics with at least one value, in the order of files.
std::vector<std::string> defined_metrics(const RunRecord& run);

/// What became of one task in one metric, from the mean matrix.
struct TaskCourse {
  std::string task;
  std::int64_t learned_in = 0;
  std::optional<double> when_learned, best, last;
  /// best before the last step minus last, as `forgetting` counts it; absent for tasks of the last
  /// step.
  std::optional<double> forgotten;
};
std::vector<TaskCourse> task_courses(const RunRecord& run, const std::string& metric);

/// "image AUROC" for image_AUROC.
std::string metric_title(const std::string& metric);

/// "0.927", "-0.012", "12.3 s", "7.1 ms", "0.45 MB"; a dash when absent.
std::string figure_text(const std::optional<double>& value, Unit unit);
/// The same with " ± " and the deviation where there is one.
std::string figure_text(const Figure& figure, Unit unit);
/// A raw score with four significant digits.
std::string score_text(double score);

}  // namespace cadenza
