#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cadenza/continual/agem/projection.h"
#include "cadenza/continual/testing/linear_model.h"
#include "cadenza/continual/testing/make_strategy.h"

namespace cadenza {
namespace {

at::Tensor doubles(std::vector<double> values) { return at::tensor(values, at::kDouble); }

// dne_cl specification, TV-8.
TEST(ProjectConflicting, GivesThePublishedGradient) {
  const std::vector<at::Tensor> gradient = {doubles({1}), doubles({-2, .5})};
  const std::vector<at::Tensor> reference = {doubles({-.5}), doubles({1, 2})};
  EXPECT_TRUE(project_conflicting(gradient, reference));
  EXPECT_TRUE(gradient[0].allclose(doubles({0.857142857143}), 0, 1e-11));
  EXPECT_TRUE(gradient[1].allclose(doubles({-1.714285714286, 1.071428571429}), 0, 1e-11));
}

TEST(ProjectConflicting, LeavesAnAgreeingGradientAlone) {
  const std::vector<at::Tensor> gradient = {doubles({1, 2})}, zero = {doubles({0, 0})},
                                along = {doubles({1, -.5})};
  EXPECT_FALSE(project_conflicting(gradient, along));
  EXPECT_FALSE(project_conflicting(gradient, zero));
  EXPECT_TRUE(gradient[0].equal(doubles({1, 2})));
}

TEST(Agem, AStepAgainstTheMemoryLosesItsConflict) {
  LinearModel model;
  auto view = model.view();
  const auto agem = make_strategy("agem", {{"capacity", "4"}, {"batch", "4"}});
  agem->begin_task(LinearTask(), view);
  agem->end_task(LinearTask());
  EXPECT_EQ(agem->save().tensors.at("images").size(0), 4);
  agem->begin_task(LinearTask(1), view);
  // All four rows are stored: r is the gradient of the whole loss, and -r conflicts with it.
  model.sample_losses(model.whole()).mean().backward();
  const at::Tensor r_weight = model.weight.grad().clone(), r_bias = model.bias.grad().clone();
  model.weight.mutable_grad() = -r_weight;
  model.bias.mutable_grad() = -r_bias;
  agem->after_task_backward(model.whole());
  EXPECT_LT(model.weight.grad().abs().max().item<double>(), 1e-12);
  model.weight.mutable_grad() = 2 * r_weight;
  model.bias.mutable_grad() = r_bias.clone();
  agem->after_task_backward(model.whole());
  EXPECT_TRUE(model.weight.grad().equal(2 * r_weight));
}

TEST(Agem, EveryTaskKeepsRowsAndTheMemoryNeverGrowsBeyondItsSize) {
  LinearModel model;
  auto view = model.view();
  const auto agem = make_strategy("agem", {{"capacity", "6"}, {"rows", "3"}});
  for (TaskId id = 0; id < 5; ++id) {
    agem->begin_task(LinearTask(id), view);
    agem->end_task(LinearTask(id));
    EXPECT_EQ(agem->save().tensors.at("images").size(0), std::min<std::int64_t>(3 * (id + 1), 6));
  }
}

}  // namespace
}  // namespace cadenza
