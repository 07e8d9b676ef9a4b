#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cadenza/continual/gpm/basis.h"
#include "cadenza/continual/testing/linear_model.h"

namespace cadenza {

void register_gpm(StrategyRegistry& registry);

namespace {

std::unique_ptr<ContinualStrategy> make_gpm(const OptionTexts& given) {
  StrategyRegistry registry;
  register_gpm(registry);
  const auto& entry = registry.find("gpm");
  return entry.make(Options("strategy 'gpm'", entry.options, given), 0);
}

at::Tensor matrix(std::vector<double> values, std::int64_t n_rows) {
  return at::tensor(values, at::kDouble).view({n_rows, -1}).clone();
}

const std::vector<double> kFirst = {1, 2, 3, .5, 0, 1, -1, .2, 2, 0, 1, .1};
const std::vector<double> kSecond = {0, 1, .5, 1, 3, 0, 1, 0, .2, .1, -1, .3};

// dne_cl specification, TV-8.
TEST(Basis, RanksOfTheFirstTaskAreThePublishedOnes) {
  const at::Tensor inputs = matrix(kFirst, 3);
  const std::vector<double> thresholds = {.6, .9, .97, .999};
  const std::vector<std::int64_t> official = {0, 1, 2, 2}, paper = {1, 2, 3, 3};
  for (std::size_t at = 0; at < thresholds.size(); ++at) {
    EXPECT_EQ(extend_basis({}, inputs, thresholds[at], RankRule::kOfficial).size(1), official[at]);
    EXPECT_EQ(extend_basis({}, inputs, thresholds[at], RankRule::kPaper).size(1), paper[at]);
  }
}

TEST(Basis, ASecondTaskAddsThePublishedNumberOfDirections) {
  const at::Tensor first = extend_basis({}, matrix(kFirst, 3), .9, RankRule::kOfficial);
  ASSERT_EQ(first.size(1), 1);
  const std::vector<double> thresholds = {.5, .9, .97};
  const std::vector<std::int64_t> added = {1, 2, 2};
  for (std::size_t at = 0; at < thresholds.size(); ++at) {
    const auto both = extend_basis(first, matrix(kSecond, 3), thresholds[at], RankRule::kOfficial);
    EXPECT_EQ(both.size(1), 1 + added[at]);
    EXPECT_TRUE(both.t().matmul(both).allclose(at::eye(both.size(1), at::kDouble), 0, 1e-12));
  }
}

TEST(Basis, ProjectionGivesThePublishedMatrix) {
  const at::Tensor basis = extend_basis({}, matrix(kFirst, 3), .9, RankRule::kOfficial);
  const at::Tensor wanted = matrix({-0.148260769335, -0.158818419904, 0.300802627449,
                                    0.325770369317, 0.161941270435, -0.699613038026},
                                   2);
  const at::Tensor projected = project_out(matrix({.3, -.2, .5, 1, .1, -.4}, 2), basis);
  EXPECT_LT((projected - wanted).abs().max().item<double>(), 1e-10);
}

TEST(Gpm, LaterUpdatesLeaveTheOldInputsOutputsAlone) {
  LinearModel model;
  auto view = model.view();
  const auto gpm = make_gpm({{"threshold", "0.8"}});
  gpm->begin_task(LinearTask(), view);
  gpm->before_step();
  model.weight.set_data(model.weight.detach() + 1);
  gpm->after_step();
  EXPECT_NEAR(model.weight[0][0].item<double>(), 1.2, 1e-12) << "the first task is free";
  gpm->end_task(LinearTask());

  const auto copy = make_gpm({{"threshold", "0.8"}});
  copy->load(gpm->save());
  copy->begin_task(LinearTask(1), view);
  const at::Tensor before = model.weight.detach().clone();
  const at::Tensor bias_before = model.bias.detach().clone();
  copy->before_step();
  model.weight.set_data(before + at::arange(6, at::kDouble).view({2, 3}));
  model.bias.set_data(bias_before + 1);
  copy->after_step();
  const at::Tensor update = model.weight.detach() - before;
  const at::Tensor basis = gpm->save().tensors.at("basis.weight").to(at::kDouble);
  ASSERT_GE(basis.size(1), 1);
  EXPECT_GT(update.norm().item<double>(), 0.01);
  EXPECT_LT((update.matmul(basis).norm() / update.norm()).item<double>(), 1e-5);
  EXPECT_TRUE(model.bias.detach().equal(bias_before + 1)) << "parameters without inputs stay free";
}

TEST(Gpm, FreezeOthersStopsWhatHasNoLayerInput) {
  LinearModel model;
  auto view = model.view();
  const auto gpm = make_gpm({{"freeze_others", "true"}});
  gpm->begin_task(LinearTask(), view);
  gpm->end_task(LinearTask());
  gpm->begin_task(LinearTask(1), view);
  const at::Tensor before = model.bias.detach().clone();
  gpm->before_step();
  model.bias.set_data(before + 1);
  gpm->after_step();
  EXPECT_TRUE(model.bias.detach().equal(before));
}

}  // namespace
}  // namespace cadenza
