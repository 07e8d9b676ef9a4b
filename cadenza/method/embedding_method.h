#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cadenza/continual/learned_network.h"
#include "cadenza/continual/moment_optimizer.h"
#include "cadenza/continual/training_loop.h"
#include "cadenza/memory/embedding_scorer.h"
#include "cadenza/method/embedding_objective.h"
#include "cadenza/method/method.h"

namespace cadenza {

/// What methods of this kind differ in by default.
struct EmbeddingDefaults {
  std::string scorer = "dne";
  std::string fix_head = "frozen";
};

/// The options of EmbeddingMethod. `has_head`: with those of the classifier.
std::vector<OptionSpec> embedding_options(const EmbeddingDefaults& defaults, bool has_head);
/// Options for the laws' fake stream: a network of two blocks with generated weights.
OptionTexts tiny_embedding_options();

/// The loss that the option `loss` names.
PairLoss pair_loss(const Options& options);

/// A network that is trained on every step's images by an objective, and whose embeddings of them
/// are judged by what a scorer keeps (dne_cl specification, sections 1 and 0.2: how the parameters
/// change is the strategy's, how scores are made is the scorer's).
///
/// 1. Each batch: the objective makes rows of originals; one step on its loss.
/// 2. The embeddings of the batch's own normal rows are noted before the step.
/// 3. After the step's last evaluation epoch the scorer learns what was noted in it.
///
/// Differs  the program's ResNet has a head of three hidden layers; here every head is linear.
///          Batch norm uses its running statistics.
class EmbeddingMethod final : public Method {
 public:
  EmbeddingMethod(MethodInfo facts, const Options& options, const NetworkEnvironment& environment,
                  std::unique_ptr<EmbeddingObjective> objective);

  const MethodInfo& info() const noexcept override { return info_; }
  std::span<const TaskId> tasks() const noexcept override { return tasks_; }
  void train_task(const TaskData& data, const TrainContext& context) override;
  ScoreBatch score(const at::Tensor& images, const ScoreRequest& request) const override;
  MethodState save() const override;
  void load(const MethodState& state) override;

 private:
  /// Embeddings of normal rows and the tasks they are of.
  struct Noted {
    std::vector<at::Tensor> rows, task;
  };

  at::Tensor logits(const at::Tensor& embeddings) const;
  at::Tensor row_losses(const Batch& batch, const at::Tensor& embeddings) const;
  TrainableView view(const TaskData& data, std::uint64_t seed);
  TrainingPlan plan(const TrainContext& context) const;
  void start_parameters(std::uint64_t seed);
  at::Tensor centre_of(const TaskData& data, const TrainContext& context) const;
  Noted embeddings_of(const TaskData& data, const TrainContext& context);
  bool is_evaluation(std::int64_t epoch) const;
  void learn(const TaskData& data, const Noted& noted, const TrainContext& context);

  Options options_;
  std::unique_ptr<EmbeddingObjective> objective_;
  LearnedNetwork network_;
  MethodInfo info_;
  at::Tensor head_weight_, head_bias_;  ///< undefined without a head
  std::unique_ptr<EmbeddingScorer> scorer_;
  std::unique_ptr<MomentOptimizer> optimizer_;
  std::int64_t n_steps_ = 0;  ///< steps learned so far
  std::vector<TaskId> tasks_;
  at::Tensor centre_;  ///< of the step that is being learned
  // Of the epoch that is running; `notes_next_` is set while the loop's own batch is on its way.
  Noted noted_;
  bool notes_next_ = false;
};

}  // namespace cadenza
