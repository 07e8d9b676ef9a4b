#pragma once

#include <map>
#include <memory>
#include <span>
#include <vector>

#include "cadenza/memory/nearest.h"
#include "cadenza/memory/task_keys.h"
#include "cadenza/method/dual_prompt/prompted_network.h"
#include "cadenza/method/dual_prompt/settings.h"
#include "cadenza/method/dual_prompt/task_memory.h"
#include "cadenza/method/method.h"

namespace cadenza::dual_prompt {

/// A frozen convolutional network, prompts, keys and a memory of normals a task.
///
/// Scoring  the frozen part before the first prompt once an image; the plain rest routes; the
///          prompted rest runs for the routed task alone.
/// Source   dual_prompt specification; README.md has the options and the authors' names for them.
class DualPromptMethod final : public Method {
 public:
  /// Errors: those of PromptedNetwork.
  DualPromptMethod(MethodInfo facts, DualPromptSettings settings,
                   const NetworkEnvironment& environment);

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
    PackedBank bank;      ///< what it is judged by: knowledge, or basic
    PackedBank key_bank;  ///< compat: for the vote
  };
  /// The same tasks judged by their larger memory.
  struct Larger {};
  DualPromptMethod(const DualPromptMethod& from, Larger);

  const Known& known(TaskId task) const;
  void put(std::map<TaskId, TaskMemory> memories);
  void learn(const TaskData& group, const TrainContext& context);
  const DualPrompt& prompt_of(const Known& task) const;
  /// Index into `candidates` for each image.
  std::vector<std::size_t> routes(const at::Tensor& distances, const at::Tensor& cells,
                                  const std::vector<TaskId>& candidates) const;
  at::Tensor patch_scores(const at::Tensor& prefix, const at::Tensor& plain_cells,
                          const std::vector<TaskId>& chosen, StageClock* clock) const;

  MethodInfo info_;
  DualPromptSettings settings_;
  std::shared_ptr<const PromptedNetwork> network_;
  PatchEmbedding embedding_;
  std::map<TaskId, Known> known_;
  std::vector<TaskId> tasks_;
  TaskKeys keys_;
  DualPrompt shared_;  ///< with shared_prompt, once something was learned
};

}  // namespace cadenza::dual_prompt
