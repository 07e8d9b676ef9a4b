#include "cadenza/metric/continual_scores.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "tests/support/error_of.h"
#include <gtest/gtest.h>

#include "cadenza/base/rng.h"

namespace cadenza {
namespace {

constexpr auto kNone = std::nullopt;

TEST(ContinualScores, ByHand) {
  // Tasks a, b, c learned in steps 0, 1, 2; b was best after step 1, a after step 0.
  const MetricMatrix matrix = {{0.9, 0.6, kNone}, {0.7, 0.8, 0.4}, {0.8, 0.5, 1.0}};
  const std::vector<std::int64_t> learned_in = {0, 1, 2};
  const auto scores = continual_scores(matrix, learned_in, 0.5);
  EXPECT_NEAR(scores.final_mean.value(), (0.8 + 0.5 + 1.0) / 3, 1e-12);
  EXPECT_NEAR(scores.forgetting.value(), ((0.9 - 0.8) + (0.8 - 0.5)) / 2, 1e-12);
  EXPECT_NEAR(scores.backward_transfer.value(), ((0.8 - 0.9) + (0.5 - 0.8)) / 2, 1e-12);
  EXPECT_NEAR(scores.forward_transfer.value(), ((0.6 - 0.5) + (0.4 - 0.5)) / 2, 1e-12);
  // A_0 = 0.9, A_1 = 0.75, A_2 = 2.3 / 3
  EXPECT_NEAR(scores.average_incremental.value(), (0.9 + 0.75 + 2.3 / 3) / 3, 1e-12);
  EXPECT_NEAR(scores.forgetting_iuf.value(), ((0.9 - 0.75) + (0.9 - 2.3 / 3)) / 2, 1e-12);
}

TEST(ContinualScores, BestOfAnEarlierStepNotOnlyOfTheFirst) {
  const MetricMatrix matrix = {{0.5, kNone, kNone}, {0.9, 0.6, kNone}, {0.6, 0.6, 0.6}};
  const auto scores = continual_scores(matrix, std::vector<std::int64_t>{0, 1, 2}, kNone);
  EXPECT_NEAR(scores.forgetting.value(), 0.15, 1e-12);
  EXPECT_NEAR(scores.backward_transfer.value(), 0.05, 1e-12);
  EXPECT_EQ(scores.forward_transfer, kNone);
}

TEST(ContinualScores, UndefinedWhereNothingIsDefined) {
  const auto one_step = continual_scores({{0.5, kNone}}, std::vector<std::int64_t>{0, 0}, 0.5);
  EXPECT_EQ(one_step.final_mean, 0.5);
  EXPECT_EQ(one_step.forgetting, kNone);
  EXPECT_EQ(one_step.backward_transfer, kNone);
  EXPECT_EQ(one_step.forgetting_iuf, kNone);
  const auto empty = continual_scores({{kNone}}, std::vector<std::int64_t>{0}, 0.5);
  EXPECT_EQ(empty.final_mean, kNone);
}

// iuf.md 3.2: the published curve of MVTec 10-1 x5 and the ACC and FM that follow from it. Each A_k
// stands here as the metric of one task with the tasks' number growing.
TEST(ContinualScores, IufCurveGivesItsAccAndFm) {
  const std::vector<double> curve = {96.8, 96.4, 94.6, 93.4, 93.2, 90.2};
  MetricMatrix matrix(6, std::vector<std::optional<double>>(1));
  for (std::size_t step = 0; step < 6; ++step) matrix[step][0] = curve[step];
  const auto scores = continual_scores(matrix, std::vector<std::int64_t>{0}, kNone);
  EXPECT_NEAR(scores.average_incremental.value(), 94.1, 0.05);
  EXPECT_NEAR(scores.forgetting_iuf.value(), 3.2, 0.05);
}

TEST(ContinualScores, RefusesWhatIsNoMatrix) {
  const std::vector<std::int64_t> learned_in = {0, 3};
  const auto code = [&](const MetricMatrix& matrix) {
    return error_of([&] { continual_scores(matrix, learned_in, kNone); }).code();
  };
  EXPECT_EQ(code({}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({{0.5}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({{0.5, 0.5}}), ErrorCode::kInvalidArgument);
}

// Step 0 brings a and b, step 1 c, step 2 d and e: all of a step count from that step on.
TEST(ContinualScores, StepsThatBringSeveralTasks) {
  const MetricMatrix matrix = {
      {0.9, 0.8, kNone, kNone, kNone}, {0.7, 0.85, 0.6, kNone, kNone}, {0.8, 0.75, 0.5, 0.9, 0.95}};
  const auto scores = continual_scores(matrix, std::vector<std::int64_t>{0, 0, 1, 2, 2}, kNone);
  EXPECT_NEAR(scores.final_mean.value(), (0.8 + 0.75 + 0.5 + 0.9 + 0.95) / 5, 1e-12);
  EXPECT_NEAR(scores.forgetting.value(), (0.1 + 0.1 + 0.1) / 3, 1e-12);
  EXPECT_NEAR(scores.backward_transfer.value(), (-0.1 - 0.05 - 0.1) / 3, 1e-12);
  EXPECT_NEAR(scores.average_incremental.value(), (0.85 + 2.15 / 3 + 3.9 / 5) / 3, 1e-12);
}

TEST(ContinualScores, LearningOnMayHelpEarlierTasks) {
  const MetricMatrix matrix = {{0.5, kNone}, {0.7, 0.9}};
  const auto scores = continual_scores(matrix, std::vector<std::int64_t>{0, 1}, kNone);
  EXPECT_NEAR(scores.forgetting.value(), -0.2, 1e-12);
  EXPECT_NEAR(scores.backward_transfer.value(), 0.2, 1e-12);
  EXPECT_NEAR(scores.forgetting_iuf.value(), 0.5 - 0.8, 1e-12);
}

// dne_cl.md 8, TV-9, to its digits.
TEST(ContinualScores, FourTasksOfTheDneSpecification) {
  const MetricMatrix matrix = {{0.95, kNone, kNone, kNone},
                               {0.90, 0.80, kNone, kNone},
                               {0.97, 0.70, 0.99, kNone},
                               {0.85, 0.75, 0.995, 0.60}};
  const auto scores = continual_scores(matrix, std::vector<std::int64_t>{0, 1, 2, 3}, kNone);
  EXPECT_NEAR(scores.final_mean.value(), 0.79875, 1e-12);
  EXPECT_NEAR(scores.backward_transfer.value(), -0.0483333, 5e-8);
  EXPECT_NEAR(scores.forgetting.value(), 0.055, 1e-12);
  EXPECT_NEAR(scores.forgetting_inclusive.value(), 0.0566667, 5e-8);
  EXPECT_NEAR(scores.average_incremental.value(), 0.8713542, 5e-8);
}

/// Sentence for sentence what formats.md says.
double forgetting_by_definition(const MetricMatrix& matrix,
                                const std::vector<std::int64_t>& learned_in) {
  const auto last = std::ssize(matrix) - 1;
  double sum = 0;
  int n_tasks = 0;
  for (std::size_t task = 0; task < learned_in.size(); ++task) {
    if (learned_in[task] >= last) continue;
    double best = -1;
    for (auto step = learned_in[task]; step < last; ++step) {
      best = std::max(best, matrix[std::size_t(step)][task].value());
    }
    sum += best - matrix[std::size_t(last)][task].value();
    ++n_tasks;
  }
  return sum / n_tasks;
}

TEST(ContinualScores, ForgettingIsThatOfItsDefinition) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Rng rng(seed, "forgetting");
    const auto n_steps = 2 + rng.below(5);
    std::vector<std::int64_t> learned_in = {0};
    for (std::size_t step = 0; step < n_steps; ++step) {
      for (auto n_new = rng.below(3); n_new > 0; --n_new) {
        learned_in.push_back(static_cast<std::int64_t>(step));
      }
    }
    MetricMatrix matrix(n_steps, std::vector<std::optional<double>>(learned_in.size()));
    for (std::size_t step = 0; step < n_steps; ++step) {
      for (std::size_t task = 0; task < learned_in.size(); ++task) {
        if (learned_in[task] <= static_cast<std::int64_t>(step)) matrix[step][task] = rng.uniform();
      }
    }
    const auto scores = continual_scores(matrix, learned_in, 0.5);
    EXPECT_NEAR(scores.forgetting.value(), forgetting_by_definition(matrix, learned_in), 1e-12)
        << "seed " << seed;
    EXPECT_GE(scores.forgetting_inclusive.value(), std::max(0.0, scores.forgetting.value()))
        << "seed " << seed;
  }
}

}  // namespace
}  // namespace cadenza
