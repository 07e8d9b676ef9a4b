#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cadenza/continual/moment_optimizer.h"
#include "cadenza/continual/training_loop.h"
#include "cadenza/method/embedding_objective.h"
#include "cadenza/method/feature_model.h"
#include "cadenza/method/method.h"
#include "cadenza/network/feature_extractor.h"

namespace cadenza {

/// What methods of this kind differ in by default.
struct FeatureDefaults {
  std::string taps;  ///< comma separated
  std::int64_t size_px = 256;
  std::int64_t epochs = 50, batch = 16;
  double learning_rate = 1e-3, epsilon = 1e-8, weight_decay = 0, clip_norm = 0;
  double beta1 = 0.9, beta2 = 0.999;
};

/// The options of FeatureMethod. `augment` is none or weak (colour jitter and turns).
std::vector<OptionSpec> feature_options(const FeatureDefaults& defaults);

/// The names that the option `taps` lists.
std::vector<std::string> parse_taps(const Options& options);

/// Layers over a frozen network, trained on every step's normals: every task moves the same layers,
/// so that a strategy can act on them, and the task is neither told nor asked for at test.
///
/// Nothing of a task is kept but what the layers hold of it.
class FeatureMethod final : public Method {
 public:
  /// From the shapes [C,h,w] of the features that it will be fed.
  using MakeModel = std::function<std::unique_ptr<FeatureModel>(
      const std::vector<std::vector<std::int64_t>>& shapes, at::Device device)>;

  /// Errors: as FeatureExtractor; kInvalidArgument: a tap without a grid, or an image that cannot
  /// be halved n_sizes - 1 times.
  FeatureMethod(MethodInfo facts, const FeatureDefaults& defaults, const Options& options,
                const NetworkEnvironment& environment, const FeatureSource& source,
                const MakeModel& make_model);

  const MethodInfo& info() const noexcept override { return info_; }
  std::span<const TaskId> tasks() const noexcept override { return tasks_; }
  void train_task(const TaskData& data, const TrainContext& context) override;
  ScoreBatch score(const at::Tensor& images, const ScoreRequest& request) const override;
  MethodState save() const override;
  void load(const MethodState& state) override;

 private:
  FeatureModel::Features extract(const at::Tensor& images) const;
  /// The same, remembered for the images of the last call: strategies ask again.
  const FeatureModel::Features& features_of(const at::Tensor& images);
  TrainableView view(const TaskData& data, std::uint64_t seed);
  at::Tensor layer_input(const std::string& name, const Batch& batch);
  TrainingPlan plan(const TrainContext& context) const;

  Options options_;
  at::Device device_;
  MethodInfo info_;
  std::vector<std::unique_ptr<FeatureExtractor>> extractors_;  ///< one an image size
  std::unique_ptr<FeatureModel> model_;
  std::unique_ptr<EmbeddingObjective> augmentation_;  ///< null: none
  std::unique_ptr<MomentOptimizer> optimizer_;
  std::int64_t n_steps_ = 0;
  std::vector<TaskId> tasks_;
  struct Remembered {
    at::Tensor images;
    FeatureModel::Features features;
  };
  Remembered last_;
  struct Recorded {
    at::Tensor images;
    std::map<std::string, at::Tensor> columns;
  };
  Recorded recorded_;
};

}  // namespace cadenza
