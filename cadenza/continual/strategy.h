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

/// One mini-batch on its way through a training step. A row is what the network is fed: a method
/// that learns from pairs (an image and its broken twin) has two rows an image.
struct Batch {
  at::Tensor images;         ///< [B,...] float32, what the network is fed: most often [B,3,H,W]
  at::Tensor pixels;         ///< [B,H,W,3] uint8 originals, undefined if the method keeps none
  at::Tensor labels;         ///< [B] int64, the method's own targets; undefined if it has none
  at::Tensor task;           ///< [B] int64, TaskId
  std::int64_t n_fresh = 0;  ///< rows [0, n_fresh) are of the current step, the rest were mixed in
};

/// Rows [first, last) of a batch; n_fresh follows. Errors: kInvalidArgument outside [0, B].
Batch slice(const Batch& batch, std::int64_t first, std::int64_t last);

/// Puts the rows of `more` behind those of `batch` and leaves n_fresh as it is.
/// Errors: kInvalidArgument when only one of them has pixels or labels, or images differ in shape.
void append(Batch& batch, const Batch& more);

/// What a method under training shows its strategy. Owns nothing; valid from begin_task() to the
/// end of end_task(). Every function follows the parameters as they are at the call, also after
/// Tensor::set_data() (how lwf asks its teacher: swap in, call, swap back). `loss` is in training
/// mode, all others in evaluation mode: no dropout, batch norm by its running statistics.
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
  /// A batch made from originals [n,H,W,3] uint8 of the given tasks [n] (TaskId), augmented as in
  /// training. Its random numbers are the task's own, as those of the loop's batches. Empty: the
  /// method cannot (replay and whatever measures on images refuse it).
  std::function<Batch(const at::Tensor& pixels, const at::Tensor& task)> batch_from_pixels;
  /// The input of the Linear or Conv layer whose weight is parameter `name`, as columns [d_in, n]
  /// (Conv: one column a patch, C_in*k*k). Undefined: there is no such layer, and gpm leaves the
  /// parameter free.
  std::function<at::Tensor(const std::string& name, const Batch&)> layer_input;
};

/// Keeps training on one task from undoing the earlier ones. One object a stream. It knows nothing
/// of methods, and methods know nothing of it: training_loop.h calls it, in this order:
///   begin_task { mix_batch; task loss.backward; after_task_backward; penalty.backward;
///                before_step; step; after_step }* end_task
/// Every hook of this class does nothing: it is plain fine-tuning.
///
/// Autograd   records in begin_task, after_task_backward, penalty and end_task, not in the others.
/// Random     strategies draw from Rng(seed, a name of their own and the task's), so that a stream
///            that was stopped and resumed goes on as if it had not been.
class ContinualStrategy {
 public:
  ContinualStrategy() = default;
  ContinualStrategy(const ContinualStrategy&) = delete;
  ContinualStrategy& operator=(const ContinualStrategy&) = delete;
  virtual ~ContinualStrategy() = default;

  /// `view` stays valid until end_task() returns.
  virtual void begin_task(const TaskData& data, TrainableView& view) { (void)data, (void)view; }
  /// Stored samples join (replay, derpp).
  virtual void mix_batch(Batch& batch) { (void)batch; }
  /// The parameters' gradients are those of the task's loss alone (si reads, agem changes them).
  virtual void after_task_backward(const Batch& batch) { (void)batch; }
  /// Added to the loss: a scalar with a graph, or undefined for nothing (ewc, si, lwf, der).
  virtual at::Tensor penalty(const Batch& batch) {
    (void)batch;
    return {};
  }
  /// Gradients are complete and clipped (gpm notes where the parameters stand).
  virtual void before_step() {}
  /// The parameters have moved (gpm projects the update; si adds to its path integral).
  virtual void after_step() {}
  /// The last parameters of the task are in place (ewc, mas, gpm measure; replay stores).
  virtual void end_task(const TaskData& data) { (void)data; }

  /// All that later tasks need. Errors of load(): kCorruptData (a missing or unknown key).
  virtual StatePiece save() const { return {}; }
  virtual void load(const StatePiece& state);
};

struct StrategyInfo {
  std::string name;
  std::string summary;
  std::string source;
  // Three settings of the runner, which no hook can bring about:
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
