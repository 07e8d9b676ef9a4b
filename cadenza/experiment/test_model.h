#pragma once

#include <span>
#include <stop_token>
#include <string>

#include "cadenza/base/json.h"
#include "cadenza/base/progress.h"
#include "cadenza/dataset/sample.h"
#include "cadenza/experiment/evaluation.h"
#include "cadenza/experiment/parts.h"
#include "cadenza/experiment/settings.h"

namespace cadenza {

/// What a trained model is worth on labelled images: the members of results.json that one step has,
/// and the text of predictions.jsonl.
struct ModelTest {
  Json results;
  std::string predictions;
};

/// Tests every image of the test split of those tasks that both the model and `dataset` know.
/// An image that cannot be read is left out and named in "failures"; `show` as in evaluate().
/// Of `settings` it uses known_task, target_fpr (shown beside the realised rates) and pixel_size.
/// Errors   kInvalidArgument: the two have no task in common, naming both sides. Those of scoring.
ModelTest test_model(const Method& method, std::span<const TaskCalibration> calibrations,
                     const Dataset& dataset, const ExperimentSettings& settings,
                     const ExperimentParts& parts, std::stop_token stop = {},
                     Progress& progress = no_progress(), const Evaluator::Show& show = {});

}  // namespace cadenza
