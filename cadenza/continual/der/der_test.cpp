#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cadenza/continual/testing/linear_model.h"
#include "cadenza/continual/testing/make_strategy.h"

namespace cadenza {
namespace {

TEST(Der, ThePenaltyIsTheDistanceFromTheStoredScores) {
  LinearModel model;
  auto view = model.view();
  const auto batch = model.whole();
  const auto der = make_strategy("der", {{"match", "logits"}, {"alpha", "0.4"}, {"capacity", "4"}});
  der->begin_task(LinearTask(), view);
  EXPECT_FALSE(der->penalty(batch).defined()) << "nothing is stored yet";
  const at::Tensor before = model.logits(batch).detach();
  der->end_task(LinearTask());

  const auto copy = make_strategy("der", {{"match", "logits"}, {"capacity", "4"}});
  copy->load(der->save());
  copy->begin_task(LinearTask(1), view);
  model.weight.set_data(model.weight.detach() + at::arange(6, at::kDouble).view({2, 3}) * 0.1);
  const auto penalty = copy->penalty(batch);
  const double wanted = 0.4 * (model.logits(batch) - before).square().mean().item<double>();
  EXPECT_NEAR(penalty.item<double>(), wanted, 1e-12);
  penalty.backward();
  EXPECT_TRUE(model.weight.grad().abs().max().item<double>() > 0);
}

TEST(Der, OffersNormalRowsAloneWhenAsked) {
  LinearModel model;
  auto view = model.view();
  const auto der = make_strategy("der", {{"rows", "normal"}, {"match", "logits"}});
  der->begin_task(LinearTask(), view);
  der->penalty(model.whole());
  const auto labels = der->save().tensors.at("labels");
  EXPECT_EQ(labels.size(0), 2);
  EXPECT_EQ(labels.sum().item<int>(), 0);
}

TEST(Der, AlphaZeroIsFinetune) {
  LinearModel model;
  auto view = model.view();
  const auto der = make_strategy("der", {{"alpha", "0"}});
  der->begin_task(LinearTask(), view);
  EXPECT_FALSE(der->penalty(model.whole()).defined());
  EXPECT_FALSE(der->penalty(model.whole()).defined());
}

}  // namespace
}  // namespace cadenza
