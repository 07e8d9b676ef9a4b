#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "cadenza/memory/nearest.h"
#include "cadenza/memory/task_keys.h"
#include "cadenza/method/method.h"
#include "cadenza/method/ucad/prompted_vit.h"
#include "cadenza/method/ucad/settings.h"
#include "cadenza/method/ucad/task_memory.h"

namespace cadenza {

/// A frozen ViT and, for every task, keys to know it by, a prompt and the patches that normals show
/// under it. README.md beside this file tells the algorithm and the options.
///
/// Scoring an image:
/// 1. Plain features; distance to the keys of all tasks in one product; the nearest task.
/// 2. Features under that task's prompt (without prompts: the plain ones).
/// 3. Each patch's distance to the nearest row of that task's knowledge; the image's score is the
///    largest; the map is their grid enlarged and smoothed.
///
/// Source   Liu et al., UCAD, AAAI 2024; ucad specification.
/// Differs  routes every image by itself; the authors' program is told the task.
class Ucad final : public Method {
 public:
  Ucad(MethodInfo facts, UcadSettings settings, const NetworkEnvironment& environment);

  const MethodInfo& info() const noexcept override { return info_; }
  std::span<const TaskId> tasks() const noexcept override { return tasks_; }
  void train_task(const TaskData& data, const TrainContext& context) override;
  ScoreBatch score(const at::Tensor& images, const ScoreRequest& request) const override;
  std::optional<Calibration> calibration(TaskId task) const override;
  std::unique_ptr<Method> with_larger_memory() const override;
  MethodState save() const override;
  void load(const MethodState& state) override;

 private:
  struct Known {
    TaskMemory memory;
    PackedBank bank;
  };

  Ucad(const Ucad& from, const at::Tensor TaskMemory::* knowledge);

  bool shares_prompt() const { return settings_.shared_prompt && settings_.has_prompt(); }
  void learn(const TaskData& group, const TrainContext& context);
  void put(std::map<TaskId, TaskMemory> memories);
  const Known& known(TaskId task) const;
  const at::Tensor& prompt_of(const Known& task) const;
  at::Tensor prompted_features(const at::Tensor& tokens,
                               const std::vector<const Known*>& chosen) const;
  at::Tensor patch_scores(const at::Tensor& features, const std::vector<TaskId>& chosen) const;

  MethodInfo info_;
  UcadSettings settings_;
  std::shared_ptr<const PromptedVit> vit_;
  PatchEmbedding embedding_;
  std::map<TaskId, Known> known_;
  std::vector<TaskId> tasks_;  // ids grow with time: oldest first
  TaskKeys keys_;
  at::Tensor prompt_;  // of all tasks; undefined: each has its own, or none was learned
};

}  // namespace cadenza
