#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cadenza/base/json.h"
#include "cadenza/experiment/runner.h"

namespace cadenza {

/// One row of a comparison: a run, and what the row is called.
struct SweepEntry {
  std::string name;  ///< also the run's folder: [A-Za-z0-9_.+-]+
  ExperimentSettings settings;
};

/// `base` under each of `strategies` (all of the build when it is empty), in that order; options of
/// a strategy stand in `base.strategy_options` as "<strategy>.<option>". Errors: kNotFound,
/// kInvalidArgument (an option of a strategy that is not among them).
std::vector<SweepEntry> strategy_entries(const ExperimentSettings& base,
                                         const std::vector<std::string>& strategies,
                                         const StrategyRegistry& known);

/// Runs every entry in `folder`/<name> as run_experiment() does and compares them.
///
/// Returns  {"format": 1, "rows": [{"name", "method", "strategy", "seeds", "ACC": {"mean", "std"},
///          "forgetting", "BWT", "FWT": the same or null, "seconds": {"train", "evaluate"} a seed,
///          "seconds_over_finetune": factor or null, "bytes": {"model", "strategy", "total"} after
///          the last step, "bytes_curve": the total after every step}, ...]}; an entry that its
///          method refuses (kUnsupported) or whose loss diverges (kNumeric) is a row with "error".
/// Writes   comparison.json, .csv and .md into `folder`, anew after every entry.
/// Resume   finished entries are only read again; a stopped one goes on where it stood.
/// Errors   kInvalidArgument: no entries, two of one name. Those of run_experiment().
Json run_strategies(const std::vector<SweepEntry>& entries, const Dataset& dataset,
                    const ExperimentParts& parts, const std::filesystem::path& folder,
                    const RunControl& control = {});

/// The comparison as a Markdown table: ACC, FM, BWT, FWT, kept MB, seconds.
std::string comparison_table(const Json& comparison);

}  // namespace cadenza
