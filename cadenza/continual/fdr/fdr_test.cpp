#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cadenza/continual/testing/linear_model.h"
#include "cadenza/continual/testing/make_strategy.h"

namespace cadenza {
namespace {

TEST(Fdr, ThePenaltyIsTheMeanDistanceOfTheProbabilities) {
  LinearModel model;
  auto view = model.view();
  const auto batch = model.whole();
  const auto fdr = make_strategy("fdr", {{"capacity", "4"}, {"alpha", "3"}});
  fdr->begin_task(LinearTask(), view);
  EXPECT_FALSE(fdr->penalty(batch).defined()) << "nothing to hold in the first task";
  fdr->end_task(LinearTask());
  const at::Tensor before = model.logits(batch).softmax(1).detach();

  const auto copy = make_strategy("fdr", {{"capacity", "4"}, {"alpha", "3"}});
  copy->load(fdr->save());
  copy->begin_task(LinearTask(1), view);
  model.weight.set_data(model.weight.detach() * 1.5 + 0.1);
  const auto difference = model.logits(batch).softmax(1) - before;
  EXPECT_NEAR(copy->penalty(batch).item<double>(), 3 * difference.norm(2, 1).mean().item<double>(),
              1e-5);
}

TEST(Fdr, TheGradientIsFiniteWhereNothingMoved) {
  LinearModel model;
  auto view = model.view();
  const auto fdr = make_strategy("fdr", {});
  fdr->begin_task(LinearTask(), view);
  fdr->end_task(LinearTask());
  fdr->begin_task(LinearTask(1), view);
  fdr->penalty(model.whole()).backward();
  EXPECT_TRUE(model.weight.grad().isfinite().all().item<bool>());
}

TEST(Fdr, SharesTheMemoryOutEvenly) {
  LinearModel model;
  auto view = model.view();
  const auto fdr = make_strategy("fdr", {{"capacity", "4"}});
  for (TaskId id = 0; id < 4; ++id) {
    fdr->begin_task(LinearTask(id), view);
    fdr->end_task(LinearTask(id));
    EXPECT_EQ(fdr->save().tensors.at("answers").size(0), 4);
  }
}

}  // namespace
}  // namespace cadenza
