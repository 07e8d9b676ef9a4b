#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "cadenza/base/json.h"
#include "cadenza/experiment/protocol.h"
#include "cadenza/experiment/settings.h"

namespace cadenza {

/// Metrics in the order of files and tables.
inline constexpr std::array<std::string_view, 7> kMetricNames = {
    "image_AUROC", "image_AUPR",  "image_F1Max", "pixel_AUROC",
    "pixel_AUPR",  "pixel_F1Max", "pixel_AUPRO"};

/// What one seed's run amounts to (the design's formats.md: results.json), from what its steps
/// left: `training[i]` as Trainer::record(), `evaluations[i]` as Evaluation::summary. `facts`
/// brings what only the runner knows: method info, environment, network, peak memory; its members
/// are taken over as they are.
Json make_results(const ExperimentSettings& settings, const TaskStream& stream, std::uint64_t seed,
                  std::span<const Json> training, std::span<const Json> evaluations,
                  const Json& facts);

/// What UCAD's README calls FM, by metric: mean over tasks of the larger memory's metric minus the
/// kept one's, from two Evaluation::summary of the same tasks. Metrics that no task has in both are
/// left out.
Json memory_gap(const Json& larger, const Json& kept);

/// Mean and standard deviation (divisor n - 1; null for one seed) over seeds of every number in
/// "final", "continual", "pooled", "routing" and "calibration".
Json make_summary(std::span<const Json> results);

/// results.csv: a row a task and a mean row; columns task, then the metrics after the last step.
std::string results_csv(std::span<const Json> results);
/// matrix.csv: seed,metric,step,task,value; empty where undefined.
std::string matrix_csv(std::span<const Json> results);

}  // namespace cadenza
