#include "cadenza/experiment/results.h"

#include <set>

#include "tests/support/error_of.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/experiment/latency.h"
#include "cadenza/experiment/stream_data.h"

namespace cadenza {
namespace {

using testing::ElementsAre;

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
  EXPECT_EQ(percentiles["render"]["p50"], 1000);
}

TEST(LatencyMeter, NothingWasRenderedWhereNothingWasShown) {
  LatencyMeter meter;
  StageClock clock;
  clock.add(Stage::kScore, std::chrono::milliseconds(3));
  for (int image = 0; image < 58; ++image) meter.add(clock);
  EXPECT_TRUE(meter.percentiles()["render"].is_null());
  EXPECT_EQ(meter.percentiles()["total"]["p50"], 3);
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

TEST(MemoryGap, IsTheMeanOfTheDifferencesOfTasksThatHaveTheMetric) {
  const auto judged = [](const Json& a, const Json& b) {
    return Json{{"tasks", {{"a", {{"metrics", a}}}, {"b", {{"metrics", b}}}}}};
  };
  const auto larger = judged({{"image_AUROC", 0.875}, {"pixel_AUPR", 0.5}, {"pixel_AUROC", 1}},
                             {{"image_AUROC", 0.75}, {"pixel_AUPR", nullptr}});
  const auto kept = judged({{"image_AUROC", 0.625}, {"pixel_AUPR", 0.75}},
                           {{"image_AUROC", 0.625}, {"pixel_AUPR", nullptr}});
  EXPECT_EQ(memory_gap(larger, kept), Json({{"image_AUROC", 0.1875}, {"pixel_AUPR", -0.25}}));
}

}  // namespace
}  // namespace cadenza
