#pragma once

#include <map>
#include <memory>
#include <span>
#include <vector>

#include "cadenza/method/method.h"
#include "cadenza/method/routed_memory/learn.h"

namespace cadenza::routed_memory {

struct RoutedMemoryOptions {
  FeatureRequest network;
  std::vector<std::string> layers, map_layers;
  LearnOptions learn;
  double reject_ratio = 1.3;  ///< R
};

/// One small memory a product beside one frozen network. Routing: the product whose last layer's
/// bank is nearest. Rejection: the caller's, from task_distance and Calibration::reject_above.
class RoutedMemory final : public Method {
 public:
  RoutedMemory(MethodInfo info, const RoutedMemoryOptions& options,
               const NetworkEnvironment& environment);

  const MethodInfo& info() const noexcept override { return info_; }
  std::span<const TaskId> tasks() const noexcept override { return tasks_; }
  void train_task(const TaskData& data, const TrainContext& context) override;
  ScoreBatch score(const at::Tensor& images, const ScoreRequest& request) const override;
  std::optional<Calibration> calibration(TaskId task) const override;
  MethodState save() const override;
  void load(const MethodState& state) override;

 private:
  const Product& product(TaskId task) const;
  void put(TaskId task, Product product);

  MethodInfo info_;
  RoutedMemoryOptions options_;
  FeatureReader reader_;
  std::map<TaskId, Product> products_;
  std::vector<TaskId> tasks_;  // ids grow with time: oldest first
};

}  // namespace cadenza::routed_memory
