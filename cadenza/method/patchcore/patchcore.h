#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "cadenza/dataset/task_data.h"
#include "cadenza/memory/patch_scores.h"
#include "cadenza/method/method.h"
#include "cadenza/method/patchcore/patch_reader.h"
#include "cadenza/method/patchcore/task_bank.h"

namespace cadenza::patchcore {

struct PatchCoreOptions {
  FeatureRequest network;
  std::int64_t neighbourhood = 3;     ///< p: side of the average, in cells
  double coreset_ratio = 0.01;        ///< of a task's patches
  std::int64_t least_rows = 3000;     ///< but at least so many
  std::int64_t candidates = 500'000;  ///< patches that selection looks at
  std::int64_t n_neighbours = 9;      ///< b: of the re-weighting
  double sigma_px = 4;                ///< of the map's Gaussian
  BankCode code = BankCode::kFp32;
};

/// PatchCore with a bank a task. An image without a task goes to the bank that its patches are
/// nearest to on average.
///
/// Source   Roth et al., "Towards Total Recall in Industrial Anomaly Detection", CVPR 2022.
/// Differs  banks are per task and of a least size; selection is exact, without random projection,
///          and begins at the patch farthest from the mean instead of a random one; learned images
///          are scored against the entries that others gave, for thresholds.
class PatchCore final : public Method {
 public:
  PatchCore(MethodInfo info, const PatchCoreOptions& options,
            const NetworkEnvironment& environment);

  const MethodInfo& info() const noexcept override { return info_; }
  std::span<const TaskId> tasks() const noexcept override { return tasks_; }
  void train_task(const TaskData& data, const TrainContext& context) override;
  ScoreBatch score(const at::Tensor& images, const ScoreRequest& request) const override;
  std::optional<Calibration> calibration(TaskId task) const override;
  MethodState save() const override;
  void load(const MethodState& state) override;

 private:
  TaskBank learn(const TaskData& data, const TrainContext& context) const;
  void calibrate(TaskBank& task, const TaskData& data, const TrainContext& context) const;
  const TaskBank& task(TaskId id) const;
  void put(TaskId id, TaskBank task);

  MethodInfo info_;
  PatchCoreOptions options_;
  PatchReader reader_;
  std::map<TaskId, TaskBank> banks_;
  std::vector<TaskId> tasks_;
};

}  // namespace cadenza::patchcore
