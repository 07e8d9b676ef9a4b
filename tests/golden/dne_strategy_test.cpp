// Vectors TV-5 (optimiser) and TV-8 of the dne_cl specification, section 8.
#include <random>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cadenza/continual/agem/projection.h"
#include "cadenza/continual/ewc/fisher.h"
#include "cadenza/continual/gpm/basis.h"
#include "cadenza/continual/lwf/distillation.h"
#include "cadenza/continual/moment_optimizer.h"
#include "cadenza/continual/reservoir.h"
#include "cadenza/continual/testing/linear_model.h"
#include "cadenza/continual/testing/make_strategy.h"
#include "cadenza/method/embedding_objective.h"

namespace cadenza {
namespace {

at::Tensor doubles(std::vector<double> values) { return at::tensor(values, at::kDouble).clone(); }

at::Tensor matrix(std::vector<double> values, std::int64_t n_rows) {
  return doubles(std::move(values)).view({n_rows, -1});
}

void expect_near(const at::Tensor& found, const std::vector<double>& wanted, double tolerance) {
  ASSERT_EQ(found.numel(), std::ssize(wanted));
  const at::Tensor flat = found.reshape({-1});
  for (std::size_t at = 0; at < wanted.size(); ++at) {
    EXPECT_NEAR(flat[std::int64_t(at)].item<double>(), wanted[at], tolerance) << "element " << at;
  }
}

TEST(TV_5, AdamWithItsDecayInTheGradient) {
  const at::Tensor parameter = doubles({0.5, -0.25, 0.001}).set_requires_grad(true);
  MomentOptimizer optimizer(
      {.kind = OptimizerKind::kAdam, .learning_rate = 1e-4, .weight_decay = 3e-5, .epsilon = 4e-4},
      {"parameter"}, {parameter});
  const std::vector<std::vector<double>> gradients = {
      {0.1, -0.02, 1e-4}, {0.05, 0.03, -2e-4}, {0, 0, 0}, {-0.2, 0.01, 3e-4}};
  const std::vector<std::vector<double>> wanted = {
      {0.499900398347, -0.249901960064, 0.000979995200},
      {0.499807647462, -0.249926320088, 0.000990362894},
      {0.499736023373, -0.249945072182, 0.000997261990},
      {0.499757905496, -0.249975054632, 0.000986812377}};
  for (std::size_t step = 0; step < gradients.size(); ++step) {
    parameter.mutable_grad() = doubles(gradients[step]);
    optimizer.step(1);
    expect_near(parameter.detach(), wanted[step], 1e-11);
  }
}

TEST(TV_8, LossOfLogitsAndOfProbabilities) {
  const LinearModel model;
  const auto batch = model.whole();
  const auto logits = model.logits(batch);
  const auto mean_loss = [&](PairLoss loss) {
    return make_pair_objective(loss, false)
        ->row_losses({}, logits, batch.labels, {})
        .mean()
        .item<double>();
  };
  EXPECT_NEAR(mean_loss(PairLoss::kCrossEntropy), 0.3005869984924, 1e-12);
  EXPECT_NEAR(mean_loss(PairLoss::kOfSoftmax), 0.4813150761370, 1e-12);
}

TEST(TV_8, FisherInformation) {
  LinearModel model;
  const auto view = model.view();
  const LinearTask task;
  const auto fisher = [&](FisherKind kind, std::int64_t batch) {
    return fisher_information(task, view, kind, 4, batch, 0);
  };
  const auto sample = fisher(FisherKind::kSample, 4);
  const std::vector<double> row = {0.029722904081, 0.089339796059, 0.089076395064};
  expect_near(sample[0][0], row, 1e-11);
  expect_near(sample[0][1], row, 1e-11);
  expect_near(sample[1], {0.068334999156, 0.068334999156}, 1e-11);
  const auto expected = fisher(FisherKind::kModel, 4);
  expect_near(expected[0][0], {0.099117455657, 0.272052806111, 0.273446455394}, 1e-11);
  expect_near(expected[1], {0.190302644421, 0.190302644421}, 1e-11);
  const auto batch = fisher(FisherKind::kBatch, 2);  // the published sum over two batches
  expect_near(2 * batch[0][0], {0.045861635218, 0.155736416565, 0.055878084811}, 1e-11);
}

TEST(TV_8, EwcPenalty) {
  LinearModel model;
  auto view = model.view();
  const auto ewc = make_strategy("ewc", {{"lambda", "10"}});
  ewc->begin_task(LinearTask(), view);
  ewc->end_task(LinearTask());
  ewc->begin_task(LinearTask(1), view);
  model.weight.set_data(model.weight.detach() + matrix({.1, 0, -.1, .05, .02, 0}, 2));
  model.bias.set_data(model.bias.detach() + doubles({.01, -.02}));
  EXPECT_NEAR(ewc->penalty(model.whole()).item<double>(), 0.006661018348298, 1e-13);
}

TEST(TV_8, Distillation) {
  const at::Tensor teacher = matrix({1, -.5, .2, .3}, 2), student = matrix({.4, .1, -.2, .6}, 2);
  const double squared = distillation_loss(teacher, student, 2).item<double>();
  EXPECT_NEAR(squared, 0.113549553594, 1e-11);
  EXPECT_NEAR(squared / 4, 0.028387388398, 1e-11);
  // Li & Hoiem's cross-entropy is larger by the teacher's own entropy.
  const at::Tensor softened = (teacher / 2).softmax(1);
  const double entropy = -(softened * softened.log()).sum(1).mean().item<double>();
  EXPECT_NEAR(squared / 4 + entropy, 0.688548268360, 1e-11);
}

TEST(TV_8, SynapticIntelligence) {
  const at::Tensor theta = doubles({1, -2}).set_requires_grad(true);
  TrainableView view{.names = {"theta"}, .parameters = {theta}};
  const auto si = make_strategy("si", {{"c", "0.1"}, {"xi", "0.1"}});
  si->begin_task(LinearTask(), view);
  for (const auto& gradient : {std::vector{.5, -.2}, {.3, .1}, {-.1, -.4}}) {
    theta.mutable_grad() = doubles(gradient);
    si->after_task_backward({});
    si->before_step();
    theta.set_data(theta.detach() - 0.1 * theta.grad());
    si->after_step();
  }
  expect_near(theta.detach(), {.93, -1.95}, 1e-12);
  si->end_task(LinearTask());
  expect_near(si->save().tensors.at("importance.0"), {0.333651096282, 0.204878048780}, 1e-11);
  si->begin_task(LinearTask(1), view);
  theta.set_data(theta.detach() + doubles({.2, -.1}));
  EXPECT_NEAR(si->penalty({}).item<double>(), 0.001539482433909, 1e-14);
}

TEST(TV_8, GradientProjectionMemory) {
  const at::Tensor first = matrix({1, 2, 3, .5, 0, 1, -1, .2, 2, 0, 1, .1}, 3);
  const at::Tensor second = matrix({0, 1, .5, 1, 3, 0, 1, 0, .2, .1, -1, .3}, 3);
  const std::vector<double> thresholds = {.6, .9, .97, .999};
  const std::vector<std::int64_t> official = {0, 1, 2, 2}, paper = {1, 2, 3, 3};
  for (std::size_t at = 0; at < thresholds.size(); ++at) {
    const auto rank = [&](RankRule rule) {
      return extend_basis({}, first, thresholds[at], rule).size(1);
    };
    EXPECT_EQ(rank(RankRule::kOfficial), official[at]);
    EXPECT_EQ(rank(RankRule::kPaper), paper[at]);
  }
  const at::Tensor basis = extend_basis({}, first, .9, RankRule::kOfficial);
  const auto added = [&](double threshold) {
    return extend_basis(basis, second, threshold, RankRule::kOfficial).size(1) - 1;
  };
  EXPECT_EQ(added(.5), 1);
  EXPECT_EQ(added(.9), 2);
  EXPECT_EQ(added(.97), 2);
  expect_near(project_out(matrix({.3, -.2, .5, 1, .1, -.4}, 2), basis),
              {-0.148260769335, -0.158818419904, 0.300802627449, 0.325770369317, 0.161941270435,
               -0.699613038026},
              1e-10);
}

TEST(TV_8, AveragedGradientEpisodicMemory) {
  const std::vector<at::Tensor> gradient = {doubles({1, -2, .5})}, memory = {doubles({-.5, 1, 2})};
  EXPECT_TRUE(project_conflicting(gradient, memory));
  expect_near(gradient[0], {0.857142857143, -1.714285714286, 1.071428571429}, 1e-11);
}

/// numpy.random.RandomState.randint(0, n): 32-bit draws under a mask until one is below n.
std::int64_t numpy_below(std::mt19937& engine, std::int64_t n) {
  auto mask = static_cast<std::uint32_t>(n - 1);
  for (int shift = 1; shift < 32; shift *= 2) mask |= mask >> shift;
  while (true) {
    const auto drawn = static_cast<std::uint32_t>(engine()) & mask;
    if (drawn < n) return drawn;
  }
}

TEST(TV_8, Reservoir) {
  std::mt19937 engine(42);
  std::vector<std::int64_t> slots(5, -1);
  for (std::int64_t item = 0; item < 30; ++item) {
    const auto slot =
        reservoir_slot(item, 5, [&](std::int64_t n) { return numpy_below(engine, n); });
    if (slot) slots[static_cast<std::size_t>(*slot)] = item;
  }
  EXPECT_EQ(slots, (std::vector<std::int64_t>{24, 22, 18, 16, 9}));
}

}  // namespace
}  // namespace cadenza
