#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/method/dual_prompt/task_memory.h"
#include "cadenza/method/dual_prompt/training_images.h"

namespace cadenza::dual_prompt {

/// Learns the tasks of one training: one task, or, with shared prompts, all of a step.
///
/// 1. Keys: of each task, a coreset of its plain features.
/// 2. Prompts and head: epochs of the contrastive loss over the regions of the images, Adam.
/// 3. Knowledge: of each task, a coreset of its prompted, projected features.
/// 4. Left-out scores and distances: each image against the rows that other images gave.
///
/// Without prompts, step 2 is nothing and knowledge is of the plain features.
///
/// Cost     the frozen part before the first prompt once an image, a plain and a prompted pass
///          through the rest besides, and forward and backward through it an epoch. Memory: the
///          features of a task's images.
/// Source   dual_prompt specification, section 4.
/// Differs  keys and knowledge are taken once, after the last epoch (each epoch where after_epoch
///          wants to score).
class Training {
 public:
  /// Borrows all. Learns the keys.
  Training(const PromptedNetwork& network, const PatchEmbedding& embedding,
           const DualPromptSettings& settings, const InputSpec& input, const TaskData& data,
           const TrainContext& context);

  /// Called with the epoch and the prompt as it stands; false ends the training.
  using AfterEpoch = std::function<bool(std::int64_t epoch, const DualPrompt& prompt)>;

  /// Trains from `start`; returns the prompt, on the CPU. Errors: those of run_training_loop().
  DualPrompt train(const DualPrompt& start, const AfterEpoch& after_epoch);

  /// What is kept of each task under this prompt (empty: none). The prompt itself goes into the
  /// memories unless it is shared.
  std::map<TaskId, TaskMemory> memories(const DualPrompt& prompt);

 private:
  struct OneTask {
    TaskRef ref;
    std::vector<std::int64_t> rows;  ///< of the data
    TaskMemory memory;
  };
  using Pass = std::function<at::Tensor(const at::Tensor& prefix)>;

  PickedPatches pick(const OneTask& task, const at::Tensor& cells, std::int64_t k) const;
  void learn_keys(OneTask& task);
  void learn_knowledge(OneTask& task, const DualPrompt& prompt);
  void keep_knowledge(OneTask& task, const at::Tensor& embedded);
  /// [T,N,dim] of a task's images.
  at::Tensor cells(const OneTask& task, std::int64_t dim, const Pass& pass);

  const PromptedNetwork& network_;
  const PatchEmbedding& embedding_;
  const DualPromptSettings& settings_;
  const TaskData& data_;
  const TrainContext& context_;
  TrainingImages images_;
  std::vector<OneTask> tasks_;
};

}  // namespace cadenza::dual_prompt
