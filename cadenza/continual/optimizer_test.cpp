#include "cadenza/continual/optimizer.h"

#include <cmath>
#include <numbers>

#include "tests/support/error_of.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cadenza/continual/training_loop.h"

namespace cadenza {
namespace {

at::Tensor doubles(std::vector<double> values) {
  return at::tensor(values, at::TensorOptions().dtype(at::kDouble));
}

// dne_cl.md TV-5: the numbers of the authors' optimiser (weight decay in the gradient, eps 4e-4).
TEST(MakeOptimizer, AdamFollowsThePublishedSteps) {
  auto parameter = doubles({0.5, -0.25, 0.001}).requires_grad_();
  const auto optimizer = make_optimizer(
      {.kind = OptimizerKind::kAdam, .learning_rate = 1e-4, .weight_decay = 3e-5, .epsilon = 4e-4},
      {parameter});
  const std::vector<std::vector<double>> gradients = {
      {0.1, -0.02, 1e-4}, {0.05, 0.03, -2e-4}, {0, 0, 0}, {-0.2, 0.01, 3e-4}};
  const std::vector<std::vector<double>> expected = {
      {0.499900398347, -0.249901960064, 0.000979995200},
      {0.499807647462, -0.249926320088, 0.000990362894},
      {0.499736023373, -0.249945072182, 0.000997261990},
      {0.499757905496, -0.249975054632, 0.000986812377}};
  for (std::size_t step = 0; step < gradients.size(); ++step) {
    parameter.mutable_grad() = doubles(gradients[step]);
    optimizer->step(1);
    EXPECT_TRUE(at::allclose(parameter.detach(), doubles(expected[step]), 0, 1e-11)) << step;
  }
}

TEST(MakeOptimizer, SgdAndAdamWByHand) {
  auto parameter = doubles({2.0}).requires_grad_();
  parameter.mutable_grad() = doubles({0.5});
  const auto sgd = make_optimizer(
      {.kind = OptimizerKind::kSgd, .learning_rate = 0.1, .weight_decay = 0.01, .momentum = 0.9},
      {parameter});
  sgd->step(1);  // velocity 0.5 + 0.01 * 2 = 0.52
  EXPECT_NEAR(parameter.item<double>(), 1.948, 1e-12);
  sgd->step(0.5);  // velocity 0.9 * 0.52 + 0.5 + 0.01948 = 0.98748, rate 0.05
  EXPECT_NEAR(parameter.item<double>(), 1.898626, 1e-12);

  auto other = doubles({2.0}).requires_grad_();
  other.mutable_grad() = doubles({0.5});
  const auto adamw = make_optimizer(
      {.kind = OptimizerKind::kAdamW, .learning_rate = 0.1, .weight_decay = 0.01}, {other});
  adamw->step(1);  // 2 - 0.1 * 0.01 * 2 - 0.1 * 0.5 / (0.5 + 1e-8)
  EXPECT_NEAR(other.item<double>(), 1.998 - 0.1 * 0.5 / (0.5 + 1e-8), 1e-12);
}

TEST(MakeOptimizer, ParameterWithoutGradientStays) {
  auto parameter = doubles({2.0}).requires_grad_();
  make_optimizer({.learning_rate = 1}, {parameter})->step(1);
  EXPECT_EQ(parameter.item<double>(), 2.0);
}

TEST(MakeOptimizer, RefusesWhatCannotBe) {
  EXPECT_EQ(error_of([] { make_optimizer({}, {}); }).code(), ErrorCode::kInvalidArgument);
  const auto negative = error_of([] { make_optimizer({.learning_rate = -1}, {doubles({1})}); });
  EXPECT_EQ(negative.code(), ErrorCode::kInvalidArgument);
  EXPECT_STREQ(error_of([] { parse_optimizer_kind("adan"); }).what(),
               "no optimizer 'adan'; did you mean 'adam'? known: adam, adamw, sgd");
  EXPECT_EQ(parse_optimizer_kind("adamw"), OptimizerKind::kAdamW);
}

TEST(ClipGradients, ScalesTheCommonNormOnlyWhenItIsTooLarge) {
  auto first = doubles({0, 0}).requires_grad_(), second = doubles({0}).requires_grad_();
  auto without = doubles({0}).requires_grad_();
  first.mutable_grad() = doubles({3, 0});
  second.mutable_grad() = doubles({4});
  EXPECT_DOUBLE_EQ(clip_gradients({first, second, without}, 10), 5);
  EXPECT_EQ(first.grad()[0].item<double>(), 3);
  EXPECT_DOUBLE_EQ(clip_gradients({first, second, without}, 1), 5);
  EXPECT_NEAR(first.grad()[0].item<double>(), 0.6, 1e-6);
  EXPECT_NEAR(second.grad().item<double>(), 0.8, 1e-6);
}

TEST(Schedules, ByHand) {
  const auto steps = step_schedule(800, 0.1);  // IUF: 1e-4 * .1^(epoch // 800)
  EXPECT_DOUBLE_EQ(steps(799, 5), 1);
  EXPECT_DOUBLE_EQ(steps(800, 0), 0.1);
  EXPECT_NEAR(steps(1600, 0), 0.01, 1e-15);
  const auto cosine = cosine_schedule(50);  // dne_cl.md TV-5, times the rate 1e-4
  EXPECT_NEAR(1e-4 * cosine(1, 1), 9.990133642141359e-05, 1e-18);
  EXPECT_NEAR(1e-4 * cosine(9, 0), 9.221639627510076e-05, 1e-17);
  EXPECT_NEAR(1e-4 * cosine(49, 1), 9.8663578586e-08, 1e-17);
  EXPECT_EQ(error_of([] { cosine_schedule(0); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([] { step_schedule(0, 1); }).code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cadenza
