#include "cadenza/experiment/results.h"

#include <cmath>
#include <set>

#include "tests/support/error_of.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/experiment/continual_scores.h"
#include "cadenza/experiment/latency.h"
#include "cadenza/experiment/share_interval.h"
#include "cadenza/experiment/stream_data.h"

namespace cadenza {
namespace {

using testing::ElementsAre;

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

// The second opinion: the exact interval's ends in closed form (k = 0, k = n) and R's
// binom.test(5, 100) and binom.test(1, 20).
TEST(ShareInterval, PublishedValues) {
  EXPECT_NEAR(share_interval(0, 10)[1], 1 - std::pow(0.025, 0.1), 1e-9);
  EXPECT_EQ(share_interval(0, 10)[0], 0);
  EXPECT_NEAR(share_interval(7, 7)[0], std::pow(0.025, 1.0 / 7), 1e-9);
  EXPECT_EQ(share_interval(7, 7)[1], 1);
  EXPECT_NEAR(share_interval(5, 100)[0], 0.01643, 5e-6);
  EXPECT_NEAR(share_interval(5, 100)[1], 0.11283, 5e-6);
  EXPECT_NEAR(share_interval(1, 20)[0], 0.00127, 5e-6);
  EXPECT_NEAR(share_interval(1, 20)[1], 0.24873, 5e-6);
  EXPECT_EQ(error_of([] { share_interval(0, 0); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([] { share_interval(3, 2); }).code(), ErrorCode::kInvalidArgument);
}

TEST(LatencyMeter, LeavesWarmUpsOutAndAsksForFiftyImages) {
  LatencyMeter meter;
  const auto clock = [](int milliseconds) {
    StageClock one;
    one.add(Stage::kDecode, std::chrono::milliseconds(milliseconds));
    one.add(Stage::kNetwork, std::chrono::milliseconds(10));
    one.add(Stage::kRender, std::chrono::milliseconds(1000));
    return one;
  };
  for (int image = 0; image < 8; ++image) meter.add(clock(500));
  for (int image = 1; image <= 49; ++image) meter.add(clock(image));
  EXPECT_TRUE(meter.percentiles().is_null());
  meter.add(clock(50));
  const auto percentiles = meter.percentiles();
  EXPECT_EQ(percentiles["decode"]["p50"], 25);
  EXPECT_EQ(percentiles["decode"]["p95"], 48);
  EXPECT_EQ(percentiles["total"]["p99"], 60);
  EXPECT_TRUE(percentiles["render"].is_null());
}

TEST(Percentile, SmallestValueThatCoversTheShare) {
  EXPECT_EQ(percentile({3, 1, 2}, 0.5), 2);
  EXPECT_EQ(percentile({3, 1, 2}, 1), 3);
  EXPECT_EQ(percentile({7}, 0.01), 7);
  EXPECT_EQ(error_of([] { percentile({}, 0.5); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([] { percentile({1}, 0); }).code(), ErrorCode::kInvalidArgument);
}

Dataset one_dataset(const std::string& root, const std::vector<std::string>& tasks) {
  Dataset dataset{.layout = "mvtec", .root = root, .tasks = tasks, .samples = {}, .notes = {root}};
  for (const auto& task : tasks) {
    for (int image = 0; image < 6; ++image) {
      Sample sample{.file = cat(root, "/", task, "/", image, ".png"), .task = task};
      sample.split = image < 4 ? Split::kTrain : Split::kTest;
      sample.is_defect = image == 5;
      dataset.samples.push_back(sample);
    }
  }
  return dataset;
}

TEST(JoinDatasets, RenamesTasksThatTwoOfThemHave) {
  const auto joined = join_datasets(
      {one_dataset("x/mvtec", {"bottle", "cable"}), one_dataset("x/own/", {"bottle", "pcb"})});
  EXPECT_THAT(joined.tasks, ElementsAre("cable", "mvtec_bottle", "own_bottle", "pcb"));
  EXPECT_EQ(joined.samples.size(), 24);
  EXPECT_EQ(joined.samples[0].task, "mvtec_bottle");
  EXPECT_EQ(joined.samples[12].task, "own_bottle");
  EXPECT_THAT(joined.notes, ElementsAre("x/mvtec", "x/own/"));
}

TEST(JoinDatasets, RefusesNoneAndTheSameTwice) {
  EXPECT_EQ(error_of([] { join_datasets({}); }).code(), ErrorCode::kInvalidArgument);
  const auto error = error_of(
      [] { join_datasets({one_dataset("a/x", {"bottle"}), one_dataset("b/x", {"bottle"})}); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), testing::HasSubstr("'x_bottle'"));
}

TEST(SplitStream, GivesTrainingNormalsOfTheTrainSplitAlone) {
  auto dataset = one_dataset("x", {"a", "b"});
  dataset.samples[1].is_defect = true;
  dataset.samples[2].split = Split::kValidation;
  const std::vector<std::string> tasks = {"a"};
  const auto data = split_stream(dataset, tasks, 0, 0);
  EXPECT_EQ(data.train.of_task.size(), 1);
  ASSERT_EQ(data.train.of_task.at("a").size(), 2);
  EXPECT_EQ(data.train.of_task.at("a")[1].file, "x/a/3.png");
  EXPECT_EQ(data.test.of_task.at("a").size(), 2);
}

TEST(SplitStream, DrawsShotsBySeedAndTask) {
  const auto dataset = one_dataset("x", {"a", "b"});
  const auto files = [&](std::uint64_t seed, const std::vector<std::string>& tasks) {
    std::vector<std::string> all;
    const auto data = split_stream(dataset, tasks, 2, seed);
    for (const auto& sample : data.train.of_task.at("a")) {
      all.push_back(sample.file.string());
    }
    return all;
  };
  EXPECT_EQ(files(0, {"a"}).size(), 2);
  EXPECT_EQ(files(0, {"a"}), files(0, {"b", "a"}));
  std::set<std::vector<std::string>> draws;
  for (std::uint64_t seed = 0; seed < 10; ++seed) draws.insert(files(seed, {"a"}));
  EXPECT_GT(draws.size(), 1);
  EXPECT_EQ(error_of([&] { split_stream(dataset, std::vector<std::string>{"a"}, 5, 0); }).code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { split_stream(dataset, std::vector<std::string>{"z"}, 0, 0); }).code(),
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cadenza
