#pragma once

#include <filesystem>
#include <stop_token>

#include "cadenza/base/json.h"
#include "cadenza/base/progress.h"
#include "cadenza/dataset/sample.h"
#include "cadenza/experiment/parts.h"
#include "cadenza/experiment/settings.h"

namespace cadenza {

struct RunControl {
  std::stop_token stop;  ///< ends within a batch or an image; nothing finished is lost
  Progress* progress = &no_progress();  ///< not owned
  /// Train nothing: score the committed steps of a run again and write its results anew.
  bool evaluate_only = false;
};

/// Runs a whole continual experiment into `folder` and returns its summary.json.
///
/// Each seed learns step by step; after each step every task seen so far is tested. Training is
/// given normals only; the test images are in the hands of this function alone, and reach training
/// in paper mode only (the epoch is chosen on them, and the results say so).
///
/// Writes   config.resolved.json, summary.json, results.csv, matrix.csv; for each seed K
///          seed-K/results.json, predictions.jsonl (after the last step), model/ (a generation a
///          step) and steps/ (what resuming needs).
/// Resume   a run that was stopped or killed goes on with the first step that was not finished, and
///          ends with the same numbers; one that is finished is only summarised again.
/// Errors   kInvalidArgument: settings that do not fit the data or each other, or a folder that
/// holds
///          a run with other settings (naming them). kUnsupported: a strategy with a method that
///          shares no parameters. kNotFound: evaluate_only without a finished step. kCancelled.
///          kIo: another process runs in `folder`. Those of training and scoring.
Json run_experiment(const ExperimentSettings& settings, const Dataset& dataset,
                    const ExperimentParts& parts, const std::filesystem::path& folder,
                    const RunControl& control = {});

}  // namespace cadenza
