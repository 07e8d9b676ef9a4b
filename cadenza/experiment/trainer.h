#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "cadenza/base/progress.h"
#include "cadenza/experiment/parts.h"
#include "cadenza/experiment/protocol.h"
#include "cadenza/experiment/settings.h"
#include "cadenza/experiment/stream_data.h"

namespace cadenza {

/// What becomes of the method as it stands after an epoch (paper mode).
enum class EpochChoice {
  kPass,        ///< an earlier one was better
  kKeep,        ///< the best so far: what the step ends with unless a later one is better
  kKeepAndStop  ///< the best there can be: the training ends
};

/// The learning half of a run. It is given no test image: what it learns cannot depend on one.
///
/// Life     make -> { train_step | restore }*, steps in order. After each call method() has learned
///          the steps so far, and `folder`/model holds them as one generation a step.
/// Resume   train_step() leaves either everything of a step in `folder` or nothing that a later
///          restore() or train_step() would read. A task's id is its place in the stream.
class Trainer {
 public:
  /// Called after each epoch. Without one the step ends with its last epoch.
  using ChooseEpoch = std::function<EpochChoice(std::int64_t epoch, const Method& method)>;

  /// Borrows all but `folder`; they outlive the trainer.
  Trainer(const ExperimentSettings& settings, const ExperimentParts& parts,
          const TaskStream& stream, const TrainImages& images, std::uint64_t seed,
          std::filesystem::path folder);

  /// Learns a step and commits it. `choose_epoch` may be empty. Errors: as Method::train_task().
  void train_step(std::int64_t step, const ChooseEpoch& choose_epoch, std::stop_token stop,
                  Progress& progress);

  /// True when `folder` holds this step, whole.
  bool has_step(std::int64_t step) const;
  /// Brings the method, its thresholds and the strategy to where they stood after `step`.
  void restore(std::int64_t step);

  const Method& method() const { return *method_; }
  std::span<const TaskCalibration> calibrations() const noexcept { return calibrations_; }
  /// What is to be told of the last step: seconds, bytes, thresholds, notes.
  const Json& record() const noexcept { return record_; }

 private:
  std::vector<std::string> tasks_of_training(std::int64_t step) const;
  std::vector<std::string> seen_tasks(std::int64_t step) const;
  void make_method();
  std::unique_ptr<TaskData> learn(std::int64_t step, const ChooseEpoch& choose_epoch,
                                  std::stop_token stop, Progress& progress);
  std::pair<std::vector<Sample>, std::vector<Sample>> split(const std::string& task) const;
  std::optional<Calibration> score_normals(const TaskRef& task,
                                           const std::vector<Sample>& samples) const;
  void set_threshold(const TaskRef& task, const std::optional<Calibration>& calibration,
                     const TaskData& data, std::int64_t n_images);
  void save_strategy(std::int64_t step) const;
  void commit(std::int64_t step);
  std::filesystem::path file(std::string_view kind, std::int64_t step) const;
  TaskId id_of(const std::string& task) const;

  const ExperimentSettings& settings_;
  const ExperimentParts& parts_;
  const TaskStream& stream_;
  const TrainImages& images_;
  std::uint64_t seed_;
  std::filesystem::path folder_;
  StrategyInfo strategy_info_;
  std::unique_ptr<Method> method_;
  std::unique_ptr<ContinualStrategy> strategy_;
  std::vector<TaskCalibration> calibrations_;
  std::map<TaskId, TaskRecord> records_;
  std::map<TaskId, Calibration> held_back_;
  Json record_;
};

}  // namespace cadenza
