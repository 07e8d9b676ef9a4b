#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cadenza/continual/testing/linear_model.h"
#include "cadenza/continual/testing/make_strategy.h"

namespace cadenza {
namespace {

TEST(Derpp, AddsTheStoredRowsLossToTheScoresDistance) {
  for (const auto* draws : {"1", "2"}) {
    LinearModel model;
    auto view = model.view();
    const auto batch = model.whole();
    const auto derpp = make_strategy("derpp", {{"capacity", "4"}, {"draws", draws}});
    derpp->begin_task(LinearTask(), view);
    EXPECT_FALSE(derpp->penalty(batch).defined());
    const at::Tensor before = model.logits(batch).detach();
    model.bias.set_data(model.bias.detach() + at::tensor({.3, -.2}, at::kDouble));
    // Four rows are stored and all are drawn, so both terms are over the whole set.
    const double wanted = 0.4 * (model.logits(batch) - before).square().mean().item<double>() +
                          0.5 * model.sample_losses(batch).mean().item<double>();
    EXPECT_NEAR(derpp->penalty(batch).item<double>(), wanted, 1e-12);
    derpp->end_task(LinearTask());
  }
}

}  // namespace
}  // namespace cadenza
