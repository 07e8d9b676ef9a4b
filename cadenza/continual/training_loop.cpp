// One task, with the hooks of its strategy:
//  1. begin_task
//  2. each epoch: shuffle the images; each batch:
//     a. the method makes the batch, mix_batch lets stored samples join
//     b. gradients of the task's loss, after_task_backward
//     c. gradients of the penalty are added
//     d. clip, before_step, step, after_step
//  3. end_task
#include "cadenza/continual/training_loop.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "cadenza/base/error.h"

namespace cadenza {
namespace {

class Loop {
 public:
  Loop(const TaskData& data, TrainableView& view, const TrainingPlan& plan)
      : view_(view), plan_(plan), name_(step_name(data)) {
    if (plan.n_epochs > 0 && plan.own_optimizer == nullptr) {
      fresh_optimizer_ = make_optimizer(plan.optimizer, view.parameters);
    }
  }

  /// The task's loss of the batch, after one step on it.
  double step(Batch batch, std::int64_t epoch, std::int64_t batch_index) {
    const double loss = backward(batch, epoch, batch_index);
    const c10::AutoGradMode no_grad(false);
    if (plan_.clip_norm > 0) clip_gradients(view_.parameters, plan_.clip_norm);
    strategy().before_step();
    optimizer().step(plan_.schedule ? plan_.schedule(epoch, batch_index) : 1.0);
    strategy().after_step();
    return loss;
  }

  ContinualStrategy& strategy() { return plan_.strategy ? *plan_.strategy : plain_; }

  void require_running() const {
    CADENZA_REQUIRE(!plan_.stop.stop_requested(), ErrorCode::kCancelled, "training of '", name_,
                    "' was stopped");
  }

  const std::string& name() const { return name_; }

 private:
  Optimizer& optimizer() { return plan_.own_optimizer ? *plan_.own_optimizer : *fresh_optimizer_; }

  double backward(Batch& batch, std::int64_t epoch, std::int64_t batch_index) {
    batch.n_fresh = batch.images.size(0);
    {
      const c10::AutoGradMode no_grad(false);
      strategy().mix_batch(batch);
    }
    for (auto& parameter : view_.parameters) parameter.mutable_grad().reset();
    const auto loss = view_.loss(batch);
    const auto value = loss.item<double>();
    require_finite(value, "loss", epoch, batch_index);
    loss.backward();
    strategy().after_task_backward(batch);
    const auto penalty = strategy().penalty(batch);
    if (penalty.defined()) {
      require_finite(penalty.item<double>(), "penalty of the strategy", epoch, batch_index);
      penalty.backward();
    }
    return value;
  }

  void require_finite(double value, std::string_view what, std::int64_t epoch,
                      std::int64_t batch_index) const {
    CADENZA_REQUIRE(std::isfinite(value), ErrorCode::kNumeric, "training of '", name_, "': the ",
                    what, " is ", value, " in epoch ", epoch, ", batch ", batch_index,
                    "; try a smaller learning rate");
  }

  TrainableView& view_;
  const TrainingPlan& plan_;
  std::string name_;
  ContinualStrategy plain_;
  std::unique_ptr<Optimizer> fresh_optimizer_;
};

std::int64_t count_batches(std::int64_t n_images, const TrainingPlan& plan) {
  const auto n_full = n_images / plan.batch_size;
  const bool keeps_rest = !plan.drop_last || n_full == 0;
  return n_full + (keeps_rest && n_images % plan.batch_size != 0 ? 1 : 0);
}

}  // namespace

LearningRateSchedule step_schedule(std::int64_t every_epochs, double factor) {
  CADENZA_REQUIRE(every_epochs >= 1, ErrorCode::kInvalidArgument,
                  "step schedule: every_epochs must be at least 1, got ", every_epochs);
  return [=](std::int64_t epoch, std::int64_t) {
    return std::pow(factor, static_cast<double>(epoch / every_epochs));
  };
}

LearningRateSchedule cosine_schedule(std::int64_t n_epochs) {
  CADENZA_REQUIRE(n_epochs >= 1, ErrorCode::kInvalidArgument,
                  "cosine schedule: n_epochs must be at least 1, got ", n_epochs);
  return [=](std::int64_t epoch, std::int64_t) {
    const double part = static_cast<double>(epoch) / static_cast<double>(n_epochs);
    return (1 + std::cos(std::numbers::pi * part)) / 2;
  };
}

std::string step_name(const TaskData& data) {
  std::string name;
  for (const auto& task : data.tasks()) name += cat(name.empty() ? "" : ",", task.name);
  return name;
}

TrainingLog run_training_loop(const TaskData& data, TrainableView& view,
                              const BatchMaker& make_batch, const TrainingPlan& plan) {
  CADENZA_REQUIRE(data.size() >= 1, ErrorCode::kInvalidArgument, "training: no images");
  CADENZA_REQUIRE(plan.n_epochs >= 0 && plan.batch_size >= 1, ErrorCode::kInvalidArgument,
                  "training: n_epochs must be at least 0 and batch_size at least 1, got ",
                  plan.n_epochs, " and ", plan.batch_size);
  const c10::AutoGradMode recording(true);
  Loop loop(data, view, plan);
  Rng shuffle(plan.seed, cat("shuffle ", loop.name()));
  Rng augmentation(plan.seed, cat("augmentation ", loop.name()));
  const auto n_batches = count_batches(data.size(), plan);

  TrainingLog log;
  loop.require_running();
  loop.strategy().begin_task(data, view);
  plan.progress->begin(cat(loop.name(), ": training"), plan.n_epochs * n_batches);
  for (std::int64_t epoch = 0; epoch < plan.n_epochs; ++epoch) {
    const auto order = plan.order ? plan.order(data.size()) : shuffle.permutation(data.size());
    double sum = 0;
    for (std::int64_t batch_index = 0; batch_index < n_batches; ++batch_index) {
      loop.require_running();
      const auto first = batch_index * plan.batch_size;
      const auto n_rows = std::min(plan.batch_size, data.size() - first);
      const std::span rows(order.data() + first, static_cast<std::size_t>(n_rows));
      sum += loop.step(make_batch(rows, augmentation), epoch, batch_index);
      plan.progress->advance(1);
    }
    log.n_steps += n_batches;
    log.epoch_losses.push_back(sum / static_cast<double>(n_batches));
    if (plan.after_epoch && !plan.after_epoch(epoch)) break;
  }
  plan.progress->end();
  loop.require_running();
  loop.strategy().end_task(data);
  return log;
}

}  // namespace cadenza
