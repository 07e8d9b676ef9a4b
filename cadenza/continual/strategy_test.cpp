#include "cadenza/continual/strategy.h"

#include <cmath>
#include <limits>
#include <set>

#include "tests/support/error_of.h"
#include "tests/support/memory_task_data.h"
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/continual/training_loop.h"

namespace cadenza {
namespace {

using testing::ElementsAre;

/// Pixels [n,2,2,3]: random grey around `level` in one channel, dark elsewhere.
at::Tensor make_pixels(std::int64_t n, int channel, std::string_view name) {
  Rng rng(1, name);
  auto pixels = at::zeros({n, 2, 2, 3}, at::kByte);
  for (std::int64_t row = 0; row < n; ++row) {
    pixels[row].select(2, channel).fill_(static_cast<int>(100 + rng.below(100)));
  }
  return pixels;
}

/// Tells images (label 0) from their negatives (label 1) by one logistic unit without bias.
class TinyLearner {
 public:
  TinyLearner() {
    view.names = {"weight"};
    view.parameters = {weight};
    view.loss = [this](const Batch& batch) { return row_losses(batch).mean(); };
    view.sample_losses = [this](const Batch& batch) { return row_losses(batch); };
    view.batch_from_pixels = [](const at::Tensor& pixels, const at::Tensor& task) {
      return pairs(pixels, task);
    };
  }

  static Batch pairs(const at::Tensor& pixels, const at::Tensor& task) {
    const auto images = pixels.permute({0, 3, 1, 2}).to(at::kFloat).div(255);
    return {.images = at::cat({images, -images}),
            .pixels = {},
            .labels = at::cat({at::zeros_like(task), at::ones_like(task)}),
            .task = at::cat({task, task})};
  }

  static BatchMaker maker(const TaskData& data) {
    return [&data](std::span<const std::int64_t> rows, Rng&) {
      std::vector<at::Tensor> pixels;
      for (const auto row : rows) pixels.push_back(data.pixels(row, row + 1));
      const auto all = at::cat(pixels);
      return pairs(all, at::full({all.size(0)}, data.tasks()[0].id, at::kLong));
    };
  }

  at::Tensor logits(const Batch& batch) const {
    return at::matmul(batch.images.mean({2, 3}), weight);
  }
  at::Tensor row_losses(const Batch& batch) const {
    return at::binary_cross_entropy_with_logits(logits(batch), batch.labels.to(at::kFloat), {}, {},
                                                at::Reduction::None);
  }
  double loss_on(const TaskData& data) const {
    const c10::NoGradGuard no_grad;
    const auto task = at::full({data.size()}, data.tasks()[0].id, at::kLong);
    return row_losses(pairs(data.pixels(0, data.size()), task)).mean().item<double>();
  }

  at::Tensor weight = at::zeros({3}).requires_grad_();
  TrainableView view;
};

/// Writes down every call and checks what each hook may rely on.
class RecordingStrategy : public ContinualStrategy {
 public:
  explicit RecordingStrategy(TinyLearner& learner) : learner_(learner) {}
  void begin_task(const TaskData&, TrainableView&) override {
    EXPECT_TRUE(c10::GradMode::is_enabled());
    calls.push_back("begin");
  }
  void mix_batch(Batch& batch) override {
    EXPECT_FALSE(c10::GradMode::is_enabled());
    EXPECT_EQ(batch.n_fresh, batch.images.size(0));
    append(batch, slice(batch, 0, 1));
    calls.push_back("mix");
  }
  void after_task_backward(const Batch& batch) override {
    // The gradient of the task's loss alone: a difference quotient is the second opinion.
    EXPECT_EQ(batch.images.size(0), batch.n_fresh + 1);
    const c10::NoGradGuard no_grad;
    auto& weight = learner_.weight;
    weight[1].add_(1e-2);
    const double above = learner_.row_losses(batch).mean().item<double>();
    weight[1].sub_(2e-2);
    const double below = learner_.row_losses(batch).mean().item<double>();
    weight[1].add_(1e-2);
    EXPECT_NEAR(weight.grad()[1].item<double>(), (above - below) / 2e-2, 1e-4);
    calls.push_back("task gradient");
    gradient_ = weight.grad().clone();
  }
  at::Tensor penalty(const Batch&) override {
    calls.push_back("penalty");
    return (learner_.weight * at::tensor({0.25, 0.5, 0.75})).sum();
  }
  void before_step() override {
    EXPECT_FALSE(c10::GradMode::is_enabled());
    EXPECT_TRUE(at::allclose(learner_.weight.grad() - gradient_, at::tensor({0.25F, 0.5F, 0.75F})));
    before_ = learner_.weight.detach().clone();
    calls.push_back("before");
  }
  void after_step() override {
    EXPECT_FALSE(at::equal(before_, learner_.weight));
    calls.push_back("after");
  }
  void end_task(const TaskData&) override {
    EXPECT_TRUE(c10::GradMode::is_enabled());
    calls.push_back("end");
  }
  std::vector<std::string> calls;

 private:
  TinyLearner& learner_;
  at::Tensor gradient_, before_;
};

TrainingPlan quick_plan() {
  return {.n_epochs = 1,
          .batch_size = 4,
          .optimizer = {.kind = OptimizerKind::kSgd, .learning_rate = 0.1}};
}

TEST(RunTrainingLoop, CallsTheHooksInTheStatedOrder) {
  const MemoryTaskData data({.id = 3, .name = "red"}, make_pixels(6, 0, "red"));
  TinyLearner learner;
  RecordingStrategy strategy(learner);
  auto plan = quick_plan();
  plan.strategy = &strategy;
  const auto log = run_training_loop(data, learner.view, TinyLearner::maker(data), plan);
  EXPECT_EQ(log.n_steps, 2);
  EXPECT_THAT(strategy.calls,
              ElementsAre("begin", "mix", "task gradient", "penalty", "before", "after", "mix",
                          "task gradient", "penalty", "before", "after", "end"));
}

TEST(RunTrainingLoop, ShowsEachImageOnceAnEpochInAnotherOrder) {
  const MemoryTaskData data({.id = 0, .name = "red"}, make_pixels(10, 0, "red"));
  for (const bool drop_last : {false, true}) {
    TinyLearner learner;
    std::vector<std::vector<std::int64_t>> batches;
    auto plan = quick_plan();
    plan.n_epochs = 2;
    plan.drop_last = drop_last;
    const auto make = TinyLearner::maker(data);
    run_training_loop(
        data, learner.view,
        [&](std::span<const std::int64_t> rows, Rng& rng) {
          batches.emplace_back(rows.begin(), rows.end());
          return make(rows, rng);
        },
        plan);
    const std::size_t n_batches = drop_last ? 2 : 3;
    ASSERT_EQ(batches.size(), 2 * n_batches);
    EXPECT_NE(batches[0], batches[n_batches]);
    for (std::size_t epoch = 0; epoch < 2; ++epoch) {
      std::set<std::int64_t> seen;
      for (std::size_t index = 0; index < n_batches; ++index) {
        const auto& rows = batches[epoch * n_batches + index];
        seen.insert(rows.begin(), rows.end());
      }
      EXPECT_EQ(seen.size(), drop_last ? 8 : 10);
    }
  }
}

TEST(RunTrainingLoop, DependsOnSeedAndTaskNameAlone) {
  const auto pixels = make_pixels(10, 0, "red");
  const auto train = [&](std::string name, TaskId id, std::uint64_t seed) {
    const MemoryTaskData data({.id = id, .name = std::move(name)}, pixels);
    TinyLearner learner;
    auto plan = quick_plan();
    plan.seed = seed;
    run_training_loop(data, learner.view, TinyLearner::maker(data), plan);
    return learner.weight.detach().clone();
  };
  EXPECT_TRUE(at::equal(train("red", 0, 1), train("red", 7, 1)));
  EXPECT_FALSE(at::equal(train("red", 0, 1), train("red", 0, 2)));
  EXPECT_FALSE(at::equal(train("red", 0, 1), train("rouge", 0, 1)));
}

TEST(RunTrainingLoop, StopsWithinOneBatch) {
  const MemoryTaskData data({.id = 0, .name = "red"}, make_pixels(10, 0, "red"));
  TinyLearner learner;
  std::stop_source stop;
  int n_batches = 0;
  auto plan = quick_plan();
  plan.n_epochs = 100;
  plan.stop = stop.get_token();
  const auto make = TinyLearner::maker(data);
  const auto error = error_of([&] {
    run_training_loop(
        data, learner.view,
        [&](std::span<const std::int64_t> rows, Rng& rng) {
          if (++n_batches == 5) stop.request_stop();
          return make(rows, rng);
        },
        plan);
  });
  EXPECT_EQ(error.code(), ErrorCode::kCancelled);
  EXPECT_STREQ(error.what(), "training of 'red' was stopped");
  EXPECT_EQ(n_batches, 5);
}

TEST(RunTrainingLoop, AfterEpochCanEndTheTraining) {
  const MemoryTaskData data({.id = 0, .name = "red"}, make_pixels(8, 0, "red"));
  TinyLearner learner;
  RecordingStrategy strategy(learner);
  auto plan = quick_plan();
  plan.n_epochs = 9;
  plan.strategy = &strategy;
  plan.after_epoch = [](std::int64_t epoch) { return epoch < 2; };
  const auto log = run_training_loop(data, learner.view, TinyLearner::maker(data), plan);
  EXPECT_EQ(log.epoch_losses.size(), 3);
  EXPECT_LT(log.epoch_losses[2], log.epoch_losses[0]);
  EXPECT_EQ(strategy.calls.back(), "end");
}

TEST(RunTrainingLoop, NamesTheBatchWhoseLossIsNotFinite) {
  const MemoryTaskData data({.id = 0, .name = "red"}, make_pixels(8, 0, "red"));
  TinyLearner learner;
  int n_losses = 0;
  learner.view.loss = [&](const Batch& batch) {
    const double factor = ++n_losses == 2 ? std::numeric_limits<double>::quiet_NaN() : 1;
    return learner.row_losses(batch).mean() * factor;
  };
  const auto error = error_of(
      [&] { run_training_loop(data, learner.view, TinyLearner::maker(data), quick_plan()); });
  EXPECT_EQ(error.code(), ErrorCode::kNumeric);
  EXPECT_THAT(error.what(), testing::HasSubstr("'red': the loss is nan in epoch 0, batch 1"));
}

TEST(RunTrainingLoop, RefusesEmptyDataAndSizes) {
  const MemoryTaskData nothing({.id = 0, .name = "red"}, make_pixels(0, 0, "red"));
  const MemoryTaskData data({.id = 0, .name = "red"}, make_pixels(1, 0, "red"));
  TinyLearner learner;
  const auto code = [&](const TaskData& images, const TrainingPlan& plan) {
    return error_of(
               [&] { run_training_loop(images, learner.view, TinyLearner::maker(images), plan); })
        .code();
  };
  auto plan = quick_plan();
  EXPECT_EQ(code(nothing, plan), ErrorCode::kInvalidArgument);
  plan.batch_size = 0;
  EXPECT_EQ(code(data, plan), ErrorCode::kInvalidArgument);
  plan = quick_plan();
  plan.n_epochs = -1;
  EXPECT_EQ(code(data, plan), ErrorCode::kInvalidArgument);
}

TEST(Batch, SliceAndAppendKeepTheFreshRowsApart) {
  Batch batch{.images = at::arange(6 * 3).view({6, 3, 1, 1}).to(at::kFloat),
              .pixels = {},
              .labels = at::arange(6),
              .task = at::zeros({6}, at::kLong),
              .n_fresh = 4};
  const auto part = slice(batch, 3, 6);
  EXPECT_EQ(part.n_fresh, 1);
  EXPECT_TRUE(at::equal(part.labels, at::tensor({3, 4, 5}, at::kLong)));
  append(batch, part);
  EXPECT_EQ(batch.images.size(0), 9);
  EXPECT_EQ(batch.n_fresh, 4);
  EXPECT_EQ(batch.labels[8].item<int>(), 5);

  EXPECT_EQ(error_of([&] { slice(batch, 2, 10); }).code(), ErrorCode::kInvalidArgument);
  auto unlabelled = part;
  unlabelled.labels = at::Tensor();
  EXPECT_EQ(error_of([&] { append(batch, unlabelled); }).code(), ErrorCode::kInvalidArgument);
  auto smaller = part;
  smaller.images = at::zeros({3, 3, 2, 2});
  EXPECT_EQ(error_of([&] { append(batch, smaller); }).code(), ErrorCode::kInvalidArgument);
}

TEST(BuiltinStrategies, SettingsOfTheRunner) {
  const auto strategies = builtin_strategies();
  EXPECT_TRUE(strategies.find("joint").info.cumulative_data);
  EXPECT_TRUE(strategies.find("joint").info.fresh_model_each_step);
  EXPECT_TRUE(strategies.find("upper").info.cumulative_data);
  EXPECT_FALSE(strategies.find("upper").info.fresh_model_each_step);
  EXPECT_TRUE(strategies.find("frozen").info.frozen);
}

TEST(BuiltinStrategies, LoadRefusesAnUnknownKey) {
  const auto strategies = builtin_strategies();
  StatePiece odd;
  odd.tensors["nobody"] = at::zeros({1});
  for (const auto& name : strategies.names()) {
    const auto& entry = strategies.find(name);
    const auto strategy = entry.make(Options(name, entry.options, {}), 0);
    EXPECT_EQ(error_of([&] { strategy->load(odd); }).code(), ErrorCode::kCorruptData) << name;
  }
}

std::unique_ptr<ContinualStrategy> make_strategy(const std::string& name,
                                                 const OptionTexts& given) {
  const auto strategies = builtin_strategies();
  const auto& entry = strategies.find(name);
  return entry.make(Options(name, entry.options, given), 5);
}

void train(TinyLearner& learner, ContinualStrategy& strategy, const TaskData& data) {
  auto plan = quick_plan();
  plan.n_epochs = 5;
  plan.strategy = &strategy;
  run_training_loop(data, learner.view, TinyLearner::maker(data), plan);
}

TEST(Replay, SharesTheBufferOutEvenly) {
  const auto strategy = make_strategy("replay", {{"capacity", "12"}, {"batch", "2"}});
  TinyLearner learner;
  const std::vector<std::vector<std::int64_t>> expected = {{12}, {6, 6}, {4, 4, 3}, {3, 3, 3, 3}};
  for (TaskId task = 0; task < 4; ++task) {
    const auto n_images = task == 2 ? 3 : 20;  // the third task has fewer than its share
    const MemoryTaskData data({.id = task, .name = cat("task ", task)},
                              make_pixels(n_images, static_cast<int>(task % 3), cat(task)));
    train(learner, *strategy, data);
    const auto state = strategy->save();
    std::vector<std::int64_t> sizes;
    for (const auto& [key, pixels] : state.tensors) sizes.push_back(pixels.size(0));
    EXPECT_EQ(sizes, expected[static_cast<std::size_t>(task)]);
    for (TaskId earlier = 0; earlier <= task; ++earlier) {  // each image is one of its own task's
      const auto& pixels = state.tensors.at(cat("pixels.", earlier));
      EXPECT_EQ(pixels.select(3, (earlier + 1) % 3).max().item<int>(), 0);
      EXPECT_GE(pixels.select(3, earlier % 3).min().item<int>(), 100);
    }
  }
}

TEST(Replay, AReservoirKeepsEveryImageWithTheSameProbability) {
  // 30 red and 10 blue images, 8 slots: on average 6 red ones stay.
  double n_red = 0;
  constexpr int kSeeds = 300;
  const MemoryTaskData red({.id = 0, .name = "red"}, make_pixels(30, 0, "red"));
  const MemoryTaskData blue({.id = 1, .name = "blue"}, make_pixels(10, 2, "blue"));
  const auto strategies = builtin_strategies();
  const auto& entry = strategies.find("replay");
  const Options options("replay", entry.options, {{"capacity", "8"}, {"mode", "reservoir"}});
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const auto strategy = entry.make(options, seed);
    TinyLearner learner;
    for (const auto* task : {&red, &blue}) {
      strategy->begin_task(*task, learner.view);
      strategy->end_task(*task);
    }
    const auto state = strategy->save();
    const auto n_of = [&](const char* key) { return state.tensors.at(key).size(0); };
    EXPECT_EQ(n_of("pixels.0") + n_of("pixels.1"), 8);
    n_red += static_cast<double>(n_of("pixels.0"));
  }
  EXPECT_NEAR(n_red / kSeeds, 6, 0.3);  // four standard errors of the mean are 0.26
}

TEST(Replay, MixesOnlyEarlierTasksIntoTheBatches) {
  const auto strategy = make_strategy("replay", {{"capacity", "12"}, {"batch", "3"}});
  TinyLearner learner;
  train(learner, *strategy, MemoryTaskData({.id = 4, .name = "red"}, make_pixels(8, 0, "red")));
  learner.view.loss = [&](const Batch& batch) {
    EXPECT_EQ(batch.images.size(0), batch.n_fresh + 2 * 3);  // an original gives a pair
    EXPECT_TRUE((batch.task.slice(0, 0, batch.n_fresh) == 9).all().item<bool>());
    EXPECT_TRUE((batch.task.slice(0, batch.n_fresh) == 4).all().item<bool>());
    return learner.row_losses(batch).mean();
  };
  train(learner, *strategy, MemoryTaskData({.id = 9, .name = "blue"}, make_pixels(8, 2, "blue")));
}

TEST(Replay, ForgetsLessThanFinetune) {
  const MemoryTaskData first({.id = 0, .name = "red"}, make_pixels(8, 0, "red"));
  const MemoryTaskData second({.id = 1, .name = "blue"}, make_pixels(8, 2, "blue"));
  const auto forgetting_of = [&](const std::string& name, const OptionTexts& options) {
    const auto strategy = make_strategy(name, options);
    TinyLearner learner;
    train(learner, *strategy, first);
    const double loss_before = learner.loss_on(first);
    // While it learns the second task, the weight that the first one needs drifts away.
    learner.view.loss = [&](const Batch& batch) {
      return learner.row_losses(batch).mean() - 0.1 * learner.weight[0];
    };
    train(learner, *strategy, second);
    return learner.loss_on(first) - loss_before;
  };
  const double replayed = forgetting_of("replay", {{"batch", "8"}});
  EXPECT_LT(replayed, 0.5 * forgetting_of("finetune", {}));
}

TEST(Replay, GoesOnAfterLoadAsIfNotStopped) {
  const auto pixels = make_pixels(8, 0, "red");
  const MemoryTaskData first({.id = 0, .name = "red"}, pixels);
  const MemoryTaskData second({.id = 1, .name = "blue"}, make_pixels(8, 2, "blue"));
  const OptionTexts options = {{"capacity", "6"}, {"batch", "3"}};

  TinyLearner straight;
  const auto strategy = make_strategy("replay", options);
  train(straight, *strategy, first);
  const auto state = strategy->save();
  const auto weight = straight.weight.detach().clone();
  train(straight, *strategy, second);

  TinyLearner resumed;
  const auto loaded = make_strategy("replay", options);
  loaded->load(state);
  resumed.weight.set_data(weight);
  train(resumed, *loaded, second);
  EXPECT_TRUE(at::equal(straight.weight, resumed.weight));
  for (const auto& [key, value] : strategy->save().tensors) {
    EXPECT_TRUE(at::equal(value, loaded->save().tensors.at(key))) << key;
  }
}

TEST(Replay, RefusesAMethodThatCannotTakeStoredImages) {
  TinyLearner learner;
  learner.view.batch_from_pixels = nullptr;
  const auto strategy = make_strategy("replay", {});
  const MemoryTaskData data({.id = 0, .name = "red"}, make_pixels(4, 0, "red"));
  EXPECT_EQ(error_of([&] { train(learner, *strategy, data); }).code(), ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace cadenza
