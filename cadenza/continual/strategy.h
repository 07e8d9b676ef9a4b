#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/base/options.h"
#include "cadenza/base/registry.h"
#include "cadenza/dataset/task_data.h"
#include "cadenza/tensor/state.h"

namespace cadenza {

/// One mini-batch on its way through a training step. A method makes it from TaskData; a strategy
/// may append stored samples in mix_batch().
struct Batch {
  at::Tensor images;         ///< [B,3,H,W] float32, what the network is fed
  at::Tensor pixels;         ///< [B,H,W,3] uint8 originals, undefined if the method keeps none
  at::Tensor labels;         ///< [B] int64, the method's own targets; undefined if it has none
  at::Tensor task;           ///< [B] int64, TaskId
  std::int64_t n_fresh = 0;  ///< rows [0, n_fresh) are of the current step, the rest were mixed in
};

/// What a method under training shows its strategy. Owns nothing; valid from begin_task() to the
/// end of end_task().
struct TrainableView {
  std::vector<std::string> names;      ///< unique, the same from task to task
  std::vector<at::Tensor> parameters;  ///< same order, leaves that require grad
  /// [B,K] class scores before the softmax, with a graph. Empty: the method has no classifier.
  std::function<at::Tensor(const Batch&)> logits;
  /// [B,D], with a graph: what is compared where there are no logits.
  std::function<at::Tensor(const Batch&)> embeddings;
  /// A scalar with a graph: the method's own loss of the batch.
  std::function<at::Tensor(const Batch&)> loss;
  /// [B] with a graph: the loss of each row, for Fisher information per sample. May be empty.
  std::function<at::Tensor(const Batch&)> sample_losses;
  /// A fresh augmented batch from originals [B,H,W,3] uint8 of the given tasks [B] (replay).
  std::function<Batch(const at::Tensor& pixels, const at::Tensor& task)> batch_from_pixels;
  /// The input of the Linear or Conv layer that owns parameter `name`, as columns [d_in, n] (gpm).
  /// An undefined tensor: that parameter has no layer input.
  std::function<at::Tensor(const std::string& name, const Batch&)> layer_input;
};

/// Keeps training on one task from undoing the earlier ones. One object a stream. It knows nothing
/// of methods, and methods know nothing of it: training_loop.h calls it, in this order:
///   begin_task { mix_batch; task loss.backward; after_task_backward; penalty.backward;
///                before_step; step; after_step }* end_task
class ContinualStrategy {
 public:
  ContinualStrategy() = default;
  ContinualStrategy(const ContinualStrategy&) = delete;
  ContinualStrategy& operator=(const ContinualStrategy&) = delete;
  virtual ~ContinualStrategy() = default;

  virtual void begin_task(const TaskData& data, TrainableView& view) = 0;
  virtual void mix_batch(Batch& batch) { (void)batch; }  ///< replay, der, fdr: stored samples join
  virtual void after_task_backward(const Batch& batch) {
    (void)batch;
  }  ///< si, agem: grads of the task's loss alone
  /// Added to the loss: a scalar with a graph, or an undefined tensor for nothing (ewc, si, lwf).
  virtual at::Tensor penalty(const Batch& batch) {
    (void)batch;
    return {};
  }
  virtual void before_step() {}
  virtual void after_step() {}  ///< gpm: projects the update; si: path integral
  virtual void end_task(const TaskData& data) = 0;

  virtual StatePiece save() const = 0;
  virtual void load(const StatePiece& state) = 0;
};

struct StrategyInfo {
  std::string name;
  std::string summary;
  std::string source;
  bool cumulative_data = false;        ///< joint, upper: a step sees the images of all steps so far
  bool fresh_model_each_step = false;  ///< joint: starts again from the initial weights
  bool frozen = false;                 ///< nothing is trained after the first step
};

struct StrategyEntry {
  std::string name;
  StrategyInfo info;
  std::vector<OptionSpec> options;
  std::string bibtex;
  std::function<std::unique_ptr<ContinualStrategy>(const Options&, std::uint64_t seed)> make;
};

class StrategyRegistry : public Registry<StrategyEntry> {
 public:
  StrategyRegistry() : Registry("strategy") {}
};

/// All strategies in this build, from the list that CMake writes.
StrategyRegistry builtin_strategies();

}  // namespace cadenza
