#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cadenza/continual/testing/linear_model.h"

namespace cadenza {

void register_si(StrategyRegistry& registry);

namespace {

std::unique_ptr<ContinualStrategy> make_si(const OptionTexts& given) {
  StrategyRegistry registry;
  register_si(registry);
  const auto& entry = registry.find("si");
  return entry.make(Options("strategy 'si'", entry.options, given), 0);
}

// dne_cl specification, TV-8: plain SGD at rate .1 over three given gradients.
TEST(Si, PathIntegralAndPenaltyGiveThePublishedNumbers) {
  const at::Tensor theta = at::tensor({1., -2.}, at::kDouble).clone().set_requires_grad(true);
  TrainableView view{.names = {"theta"}, .parameters = {theta}};
  const auto si = make_si({{"c", "0.1"}, {"xi", "0.1"}});
  si->begin_task(LinearTask(), view);
  for (const auto& gradient : {std::vector{.5, -.2}, {.3, .1}, {-.1, -.4}}) {
    theta.mutable_grad() = at::tensor(gradient, at::kDouble);
    si->after_task_backward({});
    si->before_step();
    theta.set_data(theta.detach() - 0.1 * theta.grad());
    si->after_step();
  }
  EXPECT_TRUE(theta.detach().allclose(at::tensor({.93, -1.95}, at::kDouble)));
  si->end_task(LinearTask());
  const auto state = si->save();
  const at::Tensor importance = state.tensors.at("importance.0");
  EXPECT_NEAR(importance[0].item<double>(), 0.333651096282, 1e-11);
  EXPECT_NEAR(importance[1].item<double>(), 0.204878048780, 1e-11);

  const auto next = make_si({{"c", "0.1"}, {"xi", "0.1"}});
  next->load(state);
  next->begin_task(LinearTask(1), view);
  theta.set_data(theta.detach() + at::tensor({.2, -.1}, at::kDouble));
  EXPECT_NEAR(next->penalty({}).item<double>(), 0.001539482433909, 1e-14);
  EXPECT_FALSE(make_si({{"c", "0"}})->penalty({}).defined());
}

}  // namespace
}  // namespace cadenza
