#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cadenza/continual/testing/linear_model.h"

namespace cadenza {

void register_mas(StrategyRegistry& registry);

namespace {

// By hand: d ||Wx+b||^2 / dW = 2 z x^T and / db = 2 z, so the importance is the mean of |2 z x^T|.
TEST(Mas, ImportanceIsTheMeanSensitivityOfTheSquaredOutputs) {
  StrategyRegistry registry;
  register_mas(registry);
  const auto& entry = registry.find("mas");
  const auto mas = entry.make(Options("strategy 'mas'", entry.options, {{"lambda", "3"}}), 0);
  LinearModel model;
  auto view = model.view();
  mas->begin_task(LinearTask(), view);
  EXPECT_FALSE(mas->penalty(model.whole()).defined());
  mas->end_task(LinearTask());

  const at::Tensor z = model.logits(model.whole()).detach();  // [4,2]
  const at::Tensor by_weight =
      (2 * z.unsqueeze(2) * model.rows.unsqueeze(1)).abs().mean(0);  // [2,3]
  const at::Tensor by_bias = (2 * z).abs().mean(0);
  mas->begin_task(LinearTask(1), view);
  model.weight.set_data(model.weight.detach() + 0.1);
  model.bias.set_data(model.bias.detach() - 0.2);
  const double wanted = 3 * (by_weight.sum() * 0.01 + by_bias.sum() * 0.04).item<double>();
  EXPECT_NEAR(mas->penalty(model.whole()).item<double>(), wanted, 1e-12);

  const auto copy = entry.make(Options("strategy 'mas'", entry.options, {{"lambda", "3"}}), 0);
  copy->load(mas->save());
  copy->begin_task(LinearTask(1), view);
  EXPECT_NEAR(copy->penalty(model.whole()).item<double>(), wanted, 1e-12);
}

}  // namespace
}  // namespace cadenza
