#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/method/ucad/task_memory.h"
#include "cadenza/method/ucad/training_images.h"

namespace cadenza {

/// Learns the tasks of one training: one task, or, with a shared prompt, all of a step.
///
/// 1. Keys: of each task, a coreset of its plain features.
/// 2. Prompt: epochs of the contrastive loss over the regions of the images, Adam.
/// 3. Knowledge: of each task, a coreset of its prompted features.
/// 4. Left-out scores and distances: each image against the rows that other images gave.
///
/// Without a prompt, step 2 is nothing and knowledge is the keys.
///
/// Cost     the frozen blocks before the first prompt once an image, a plain and a prompted pass
///          besides, and forward and backward through the prompted blocks an epoch. Memory: the
///          features of a task's images, 0.6 MB each for a ViT-B.
/// Source   UCAD, AAAI 2024; ucad specification 1.6 to 1.8.
/// Differs  keys and knowledge are taken once, after the last epoch (each epoch where after_epoch
///          wants to score); with compat the random numbers come in the released order.
class TrainingGroup {
 public:
  /// Borrows all. Learns the keys.
  TrainingGroup(const PromptedVit& vit, const PatchEmbedding& embedding,
                const UcadSettings& settings, const InputSpec& input, const TaskData& data,
                const TrainContext& context);

  /// Called with the epoch and the prompt as it stands; false ends the training.
  using AfterEpoch = std::function<bool(std::int64_t epoch, const at::Tensor& prompt)>;

  /// Trains from `start` [n_blocks,2,length,width]; returns the prompt, on the CPU.
  /// Errors   those of run_training_loop().
  at::Tensor train(const at::Tensor& start, const AfterEpoch& after_epoch);

  /// What is kept of each task under this prompt (undefined: none). The prompt itself goes into
  /// the memories unless it is shared.
  std::map<TaskId, TaskMemory> memories(const at::Tensor& prompt);

 private:
  struct OneTask {
    TaskRef ref;
    std::vector<std::int64_t> rows;  ///< of the data
    std::unique_ptr<CoresetRandom> random;
    TaskMemory memory;
  };
  using Pass = std::function<at::Tensor(const at::Tensor& tokens)>;

  void learn_keys(OneTask& task);
  void learn_knowledge(OneTask& task, const at::Tensor& prompt);
  at::Tensor features(std::span<const std::int64_t> rows, const Pass& pass);
  std::vector<std::int64_t> visiting_order(OneTask& task);

  const PromptedVit& vit_;
  const PatchEmbedding& embedding_;
  const UcadSettings& settings_;
  const TaskData& data_;
  const TrainContext& context_;
  TrainingImages images_;
  std::vector<OneTask> tasks_;
};

}  // namespace cadenza
