#include "tests/support/error_of.h"
#include <gtest/gtest.h>

#include "cadenza/continual/ewc/fisher.h"
#include "cadenza/continual/quadratic_anchor.h"
#include "cadenza/continual/testing/linear_model.h"

namespace cadenza {

void register_ewc(StrategyRegistry& registry);

namespace {

std::unique_ptr<ContinualStrategy> make_ewc(const OptionTexts& given) {
  StrategyRegistry registry;
  register_ewc(registry);
  const auto& entry = registry.find("ewc");
  return entry.make(Options("strategy 'ewc'", entry.options, given), 0);
}

double value(const at::Tensor& scalar) { return scalar.item<double>(); }

TEST(QuadraticAnchor, EqualsTheSumOfItsPenalties) {
  const std::vector<std::vector<double>> importance = {{1, 0, 3}, {2, 0, .5}, {0, 0, 4}};
  const std::vector<std::vector<double>> centre = {{1, 2, 3}, {-1, 0, 2}, {5, 5, -1}};
  QuadraticAnchor anchor;
  for (std::size_t task = 0; task < 3; ++task) {
    anchor.add(std::vector{at::tensor(importance[task], at::kDouble)},
               std::vector{at::tensor(centre[task], at::kDouble)});
  }
  const std::vector<double> theta = {.3, -.7, 1.1};
  double wanted = 0;
  for (std::size_t task = 0; task < 3; ++task) {
    for (std::size_t index = 0; index < 3; ++index) {
      const double shift = theta[index] - centre[task][index];
      wanted += importance[task][index] * shift * shift;
    }
  }
  EXPECT_NEAR(value(anchor.penalty(std::vector{at::tensor(theta, at::kDouble)})), wanted, 1e-12);
}

// dne_cl specification, TV-8.
TEST(Fisher, PerSampleBatchAndModelKindsGiveThePublishedNumbers) {
  LinearModel model;
  const auto view = model.view();
  const LinearTask task;
  auto fisher = fisher_information(task, view, FisherKind::kSample, 4, 4, 0);
  EXPECT_NEAR(value(fisher[0][0][0]), 0.029722904081, 1e-9);
  EXPECT_NEAR(value(fisher[0][1][1]), 0.089339796059, 1e-9);
  EXPECT_NEAR(value(fisher[0][0][2]), 0.089076395064, 1e-9);
  EXPECT_NEAR(value(fisher[1][0]), 0.068334999156, 1e-9);

  fisher = fisher_information(task, view, FisherKind::kModel, 4, 4, 0);
  EXPECT_NEAR(value(fisher[0][0][0]), 0.099117455657, 1e-9);
  EXPECT_NEAR(value(fisher[0][0][1]), 0.272052806111, 1e-9);
  EXPECT_NEAR(value(fisher[0][1][2]), 0.273446455394, 1e-9);
  EXPECT_NEAR(value(fisher[1][1]), 0.190302644421, 1e-9);

  fisher = fisher_information(task, view, FisherKind::kBatch, 4, 2, 0);
  EXPECT_NEAR(value(fisher[0][0][0]) * 2, 0.045861635218, 1e-9);
  EXPECT_NEAR(value(fisher[0][0][1]) * 2, 0.155736416565, 1e-9);
  EXPECT_NEAR(value(fisher[0][1][2]) * 2, 0.055878084811, 1e-9);
}

TEST(Ewc, PenaltyGivesThePublishedNumber) {
  LinearModel model;
  auto view = model.view();
  const auto ewc = make_ewc({{"lambda", "10"}});
  const LinearTask task;
  ewc->begin_task(task, view);
  EXPECT_FALSE(ewc->penalty(model.whole()).defined()) << "nothing to hold in the first task";
  ewc->end_task(task);
  ewc->begin_task(LinearTask(1), view);
  view.parameters[0].set_data(view.parameters[0].detach() +
                              at::tensor({.1, 0., -.1, .05, .02, 0.}, at::kDouble).view({2, 3}));
  view.parameters[1].set_data(view.parameters[1].detach() + at::tensor({.01, -.02}, at::kDouble));
  EXPECT_NEAR(value(ewc->penalty(model.whole())), 0.006661018348298, 1e-12);

  const auto copy = make_ewc({{"lambda", "10"}});
  copy->load(ewc->save());
  copy->begin_task(LinearTask(1), view);
  EXPECT_EQ(value(copy->penalty(model.whole())), value(ewc->penalty(model.whole())));
}

TEST(Ewc, PerTaskAndSumAgreeAndLambdaZeroIsFinetune) {
  LinearModel model;
  auto view = model.view();
  const auto sum = make_ewc({}), per_task = make_ewc({{"mode", "per_task"}}),
             off = make_ewc({{"lambda", "0"}});
  const std::vector<ContinualStrategy*> all = {sum.get(), per_task.get(), off.get()};
  for (TaskId id = 0; id < 3; ++id) {
    for (auto* const strategy : all) {
      strategy->begin_task(LinearTask(id), view);
      strategy->end_task(LinearTask(id));
    }
    model.weight.set_data(model.weight.detach() + 0.1 * double(id + 1));
  }
  for (auto* const strategy : all) strategy->begin_task(LinearTask(3), view);
  EXPECT_NEAR(value(sum->penalty(model.whole())), value(per_task->penalty(model.whole())), 1e-9);
  EXPECT_FALSE(off->penalty(model.whole()).defined());
}

TEST(Ewc, AMethodWithoutRowLossesIsToldTheRemedy) {
  LinearModel model;
  auto view = model.view();
  view.sample_losses = nullptr;
  const auto ewc = make_ewc({});
  ewc->begin_task(LinearTask(), view);
  const auto error = error_of([&] { ewc->end_task(LinearTask()); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_NE(std::string(error.what()).find("fisher=batch"), std::string::npos);
}

}  // namespace
}  // namespace cadenza
