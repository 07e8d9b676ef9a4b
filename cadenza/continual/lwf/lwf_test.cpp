#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cadenza/continual/lwf/distillation.h"
#include "cadenza/continual/testing/linear_model.h"

namespace cadenza {

void register_lwf(StrategyRegistry& registry);

namespace {

std::unique_ptr<ContinualStrategy> make_lwf(const OptionTexts& given) {
  StrategyRegistry registry;
  register_lwf(registry);
  const auto& entry = registry.find("lwf");
  return entry.make(Options("strategy 'lwf'", entry.options, given), 0);
}

// dne_cl specification, TV-8: teacher, student, T = 2.
TEST(Distillation, GivesThePublishedNumber) {
  const at::Tensor teacher = at::tensor({1., -.5, .2, .3}, at::kDouble).view({2, 2});
  const at::Tensor student = at::tensor({.4, .1, -.2, .6}, at::kDouble).view({2, 2});
  EXPECT_NEAR(distillation_loss(teacher, student, 2).item<double>(), 0.113549553594, 1e-11);
  EXPECT_NEAR(distillation_loss(teacher, teacher, 2).item<double>(), 0, 1e-15);
}

TEST(Lwf, TheTeacherIsTheModelAtTheEndOfTheLastTask) {
  LinearModel model;
  auto view = model.view();
  const auto lwf = make_lwf({});
  const auto batch = model.whole();
  lwf->begin_task(LinearTask(), view);
  EXPECT_FALSE(lwf->penalty(batch).defined());
  lwf->end_task(LinearTask());
  const at::Tensor teacher = model.logits(batch).detach();

  lwf->begin_task(LinearTask(1), view);
  const at::Tensor moved = model.weight.detach() + 0.3;
  model.weight.set_data(moved);
  model.bias.set_data(model.bias.detach() - 0.1 * at::arange(2, at::kDouble));
  const at::Tensor penalty = lwf->penalty(batch);
  EXPECT_NEAR(penalty.item<double>(),
              distillation_loss(teacher, model.logits(batch).detach(), 2).item<double>(), 1e-12);
  EXPECT_TRUE(model.weight.detach().equal(moved)) << "the parameters are given back";

  penalty.backward();
  const at::Tensor gradient = model.bias.grad()[1].clone();
  constexpr double kStep = 1e-6;
  const auto at_bias = [&](double shift) {
    const at::Tensor shifted = model.bias.detach().clone();
    shifted[1] += shift;
    const at::Tensor logits = batch.images.matmul(model.weight.detach().t()) + shifted;
    return distillation_loss(teacher, logits, 2).item<double>();
  };
  EXPECT_NEAR(gradient.item<double>(), (at_bias(kStep) - at_bias(-kStep)) / (2 * kStep), 1e-8);
}

TEST(Lwf, LambdaZeroIsFinetuneAndStateSurvives) {
  LinearModel model;
  auto view = model.view();
  const auto off = make_lwf({{"lambda", "0"}}), on = make_lwf({});
  for (auto* const strategy : {off.get(), on.get()}) {
    strategy->begin_task(LinearTask(), view);
    strategy->end_task(LinearTask());
    strategy->begin_task(LinearTask(1), view);
  }
  EXPECT_FALSE(off->penalty(model.whole()).defined());
  const auto copy = make_lwf({});
  copy->load(on->save());
  copy->begin_task(LinearTask(1), view);
  model.weight.set_data(model.weight.detach() * 2);
  EXPECT_EQ(copy->penalty(model.whole()).item<double>(), on->penalty(model.whole()).item<double>());
}

}  // namespace
}  // namespace cadenza
