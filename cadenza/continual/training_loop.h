#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <vector>

#include "cadenza/base/progress.h"
#include "cadenza/base/rng.h"
#include "cadenza/continual/optimizer.h"
#include "cadenza/continual/strategy.h"
#include "cadenza/dataset/task_data.h"

namespace cadenza {

/// The factor on the learning rate in a batch; both count from 0 in every task.
using LearningRateSchedule = std::function<double(std::int64_t epoch, std::int64_t batch)>;

/// factor^(epoch / every_epochs), in whole divisions (StepLR).
LearningRateSchedule step_schedule(std::int64_t every_epochs, double factor);
/// (1 + cos(pi * epoch / n_epochs)) / 2
LearningRateSchedule cosine_schedule(std::int64_t n_epochs);

/// Everything a training run of one task is given from outside.
struct TrainingPlan {
  std::int64_t n_epochs = 1;     ///< 0: only the strategy's begin_task and end_task
  std::int64_t batch_size = 32;  ///< images of the task a batch, before anything is mixed in
  bool drop_last = false;   ///< leave out a last batch that is not full (but never the only one)
  double clip_norm = 0;     ///< largest L2 norm of all gradients together; 0: no clipping
  OptimizerSpec optimizer;  ///< made anew for every task
  Optimizer* own_optimizer = nullptr;  ///< not owned; used instead: its moments outlive the task
  LearningRateSchedule schedule;       ///< empty: constant
  /// The order of n images in the next epoch, for repeating another program's; empty: shuffled by
  /// the seed and the names of the tasks.
  std::function<std::vector<std::int64_t>(std::int64_t n)> order = {};

  std::uint64_t seed = 0;
  std::stop_token stop;                                 ///< polled before each batch
  ContinualStrategy* strategy = nullptr;                ///< not owned; null: plain fine-tuning
  Progress* progress = &no_progress();                  ///< not owned
  std::function<bool(std::int64_t epoch)> after_epoch;  ///< false ends the training; may be empty
};

struct TrainingLog {
  std::int64_t n_steps = 0;
  std::vector<double> epoch_losses;  ///< the task's loss without penalty, mean over the batches
};

/// Makes the batch of some images of the task: `rows` index the TaskData. Augmentation draws from
/// `rng` alone.
using BatchMaker = std::function<Batch(std::span<const std::int64_t> rows, Rng& rng)>;

/// Trains the view's parameters on one task, calling the strategy's hooks in the order of
/// strategy.h. This is the one place that knows the order.
///
/// The images are shuffled anew each epoch. Shuffles and augmentation come from `seed` and the
/// names of the tasks, so a task trains the same wherever it stands in the stream. Errors
/// kCancelled: a stop was asked for, seen within one batch; parameters are then in between.
///          kNumeric: a loss is not finite, naming epoch and batch. kInvalidArgument: no images, or
///          a size in the plan below its least.
/// Threads  one training a view at a time.
TrainingLog run_training_loop(const TaskData& data, TrainableView& view,
                              const BatchMaker& make_batch, const TrainingPlan& plan);

/// Names of a step's tasks, comma separated: what random streams and messages are named after.
std::string step_name(const TaskData& data);

}  // namespace cadenza
