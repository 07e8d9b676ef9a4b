#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cadenza/base/json.h"
#include "cadenza/experiment/epoch_ensemble.h"
#include "cadenza/experiment/evaluation.h"
#include "cadenza/experiment/trainer.h"

namespace cadenza {

/// Paper mode of a method whose authors join epochs (MethodInfo::joins_epochs): the epoch is chosen
/// by the image AUROC that the ensemble of all epochs so far has on the step's test images, and
/// what is reported is the ensemble at that epoch; at 1 the training ends. A larger memory, where
/// the method keeps one, has an ensemble and a best epoch of its own.
///
/// Writes `file` whenever a best is found:
/// {"n_epochs": run so far, "kept": best, "larger": best or null},
/// best: {"epoch": from 0, "tasks": {name: {metric: value}}}
/// Source   ucad specification 3.1, 3.3.
class PaperEpochs {
 public:
  /// Borrows all but the values. `calibrations`: of the tasks learned so far and of the step's.
  PaperEpochs(const Evaluator& evaluator, const ExperimentSettings& settings,
              const ExperimentParts& parts, const TestImages& images,
              std::vector<std::string> tasks, std::vector<TaskCalibration> calibrations,
              std::filesystem::path file);

  EpochChoice operator()(std::int64_t epoch, const Method& method);

 private:
  struct Best {
    EpochEnsemble ensemble;
    std::optional<double> value;
    Json record;  ///< null before the first
  };
  bool judge(Best& best, std::int64_t epoch, const Method& method) const;

  const Evaluator& evaluator_;
  const ExperimentParts& parts_;
  std::vector<TaskCalibration> calibrations_;
  std::filesystem::path file_;
  Best kept_, larger_;
};

/// The member `epoch_ensemble` of results.json from the files of all steps: metrics by task with
/// their mean, `epoch` (from 1) by task, and `memory_gap`: mean of the larger memory's ensembles
/// minus mean of the kept one's, over the tasks that have both. Null: there is no file.
Json epoch_ensemble_json(const std::vector<Json>& files, const std::vector<std::string>& order);

}  // namespace cadenza
