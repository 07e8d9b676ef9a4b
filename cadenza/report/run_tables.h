#pragma once

#include <span>
#include <string>
#include <vector>

#include "cadenza/report/run_record.h"
#include "cadenza/report/table.h"

namespace cadenza {

/// One name a run: its folder's, made longer where two are the same.
std::vector<std::string> run_names(std::span<const RunRecord> runs);

/// "test-selected" and "task told at test", as far as they apply: what must stand wherever a number
/// of the run is printed.
std::vector<std::string> caveats(const RunRecord& run);

/// Headline figures of runs side by side, best values marked: a table a group of figures, for each
/// set of runs that can be compared (same protocol, same products). Runs with caveats are marked
/// and never best.
std::vector<Table> comparison_tables(std::span<const RunRecord> runs);

/// A row a product and a mean row; a column a metric, after the last step.
Table product_table(const RunRecord& run);
/// After each step, the metric of every product learned so far.
Table matrix_table(const RunRecord& run, const std::string& metric);
/// What became of each product, and the means that the continual scores are.
Table course_table(const RunRecord& run, const std::string& metric);
/// Rows: what an image shows; columns: what it was taken for. Counts over all seeds.
Table routing_table(const RunRecord& run);
/// Target and realised rates with the interval of the first seed.
Table calibration_table(const RunRecord& run);
Table latency_table(const RunRecord& run);
/// Seconds and bytes a step.
Table cost_table(const RunRecord& run);

/// All of them that have a row, for text and markdown.
std::vector<Table> run_tables(const RunRecord& run);

/// run,method,strategy,protocol,mode,task_told,figure,mean,sd,n: a line a figure.
std::string figures_csv(std::span<const RunRecord> runs);

}  // namespace cadenza
