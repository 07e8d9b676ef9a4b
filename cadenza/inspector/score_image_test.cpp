#include "cadenza/inspector/score_image.h"

#include <limits>

#include "tests/support/error_of.h"
#include "tests/support/photos.h"
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cadenza {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Says what a test tells it to.
class ScriptedMethod final : public Method {
 public:
  ScriptedMethod() {
    info_.name = "scripted";
    info_.input = {.height_px = 8, .width_px = 8};
    info_.picks_task = true;
  }
  const MethodInfo& info() const noexcept override { return info_; }
  std::span<const TaskId> tasks() const noexcept override { return tasks_; }
  void train_task(const TaskData&, const TrainContext&) override {}
  ScoreBatch score(const at::Tensor& images, const ScoreRequest& request) const override {
    EXPECT_EQ(images.sizes(), at::IntArrayRef({1, 3, 8, 8}));
    asked_.assign(request.candidates.begin(), request.candidates.end());
    ScoreBatch scored{.image_score = at::full({1}, score_), .anomaly_map = map_};
    if (!info_.picks_task) return scored;
    const TaskId task = request.candidates.empty() ? routed_to_ : request.candidates.front();
    scored.task = at::full({1}, task, at::kLong);
    scored.task_distance = at::full({1}, distance_);
    return scored;
  }
  MethodState save() const override { return {}; }
  void load(const MethodState&) override {}

  MethodInfo info_;
  std::vector<TaskId> tasks_ = {3, 7};
  float score_ = 1, distance_ = 1;
  TaskId routed_to_ = 7;
  at::Tensor map_ = at::zeros({1, 2, 2});
  mutable std::vector<TaskId> asked_;
};

class ScoreImage : public ::testing::Test {
 protected:
  Verdict score(const ScoreImageOptions& options = {}) const {
    return score_image(method_, tasks_, photo_, "photo.png", options);
  }

  ScriptedMethod method_;
  std::vector<TaskCalibration> tasks_ = {
      {.id = 3, .name = "bottle", .normal_scores = {1, 2, 3}, .threshold = 2},
      {.id = 7,
       .name = "cable",
       .normal_scores = {4, 1, 3, 2},
       .threshold = 3.5,
       .reject_above = 1.5,
       .map_threshold = 0.5}};
  std::vector<std::byte> photo_ =
      encode_png(photo_of(kBottle, 1, {.height_px = 20, .width_px = 40}));
};

TEST_F(ScoreImage, AScoreAboveTheRoutedTasksThresholdIsADefect) {
  method_.score_ = 3.5F;
  Verdict verdict = score();
  EXPECT_TRUE(method_.asked_.empty());
  EXPECT_EQ(verdict.task, "cable");
  EXPECT_EQ(verdict.label, Label::kNormal);  // it must exceed
  EXPECT_EQ(verdict.score, 3.5);
  EXPECT_EQ(verdict.threshold, 3.5);
  EXPECT_EQ(verdict.task_distance, 1);
  EXPECT_DOUBLE_EQ(verdict.p_value.value(), 2.0 / 5);  // one of four normals scores as high
  method_.score_ = 3.6F;
  EXPECT_EQ(score().label, Label::kDefect);
  EXPECT_FALSE(score().is_rejected);
}

TEST_F(ScoreImage, AnImageFarFromEveryTaskIsUnknownButItsMapAndScoreStay) {
  method_.distance_ = 1.6F;
  method_.map_ = at::ones({1, 2, 2});
  const Verdict verdict = score();
  EXPECT_TRUE(verdict.is_rejected);
  EXPECT_EQ(verdict.label, Label::kUnknown);
  EXPECT_EQ(verdict.task, "cable");
  EXPECT_EQ(verdict.score, 1);
  EXPECT_FALSE(verdict.p_value.has_value());
  EXPECT_FALSE(verdict.threshold.has_value());
  EXPECT_EQ(verdict.regions.size(), 1);
  const Json json = to_json(verdict);
  EXPECT_TRUE(json["task"].is_null());
  EXPECT_EQ(json["nearest_task"], "cable");
}

TEST_F(ScoreImage, ANamedTaskJudgesAloneAndRejectsNothing) {
  method_.distance_ = 99;
  method_.score_ = 2.5F;
  const Verdict verdict = score({.task = 3});
  EXPECT_THAT(method_.asked_, ElementsAre(3));
  EXPECT_EQ(verdict.task, "bottle");
  EXPECT_EQ(verdict.label, Label::kDefect);
  tasks_[0].reject_above = 1.5;
  EXPECT_EQ(score({.task = 3}).label, Label::kDefect);
}

TEST_F(ScoreImage, WithoutAThresholdTheTaskStaysAndTheLabelIsUnknown) {
  tasks_[1].threshold.reset();
  tasks_[1].normal_scores.clear();
  const Verdict verdict = score();
  EXPECT_EQ(verdict.label, Label::kUnknown);
  EXPECT_EQ(verdict.task, "cable");
  EXPECT_FALSE(verdict.is_rejected);
  EXPECT_FALSE(verdict.p_value.has_value());
  EXPECT_TRUE(verdict.regions.empty());
}

TEST_F(ScoreImage, AModelWithoutTasksKnowsNothing) {
  method_.tasks_.clear();
  tasks_.clear();
  const Verdict verdict = score();
  EXPECT_EQ(verdict.label, Label::kUnknown);
  EXPECT_FALSE(verdict.score.has_value());
  EXPECT_FALSE(verdict.task.has_value());
  photo_.resize(40);  // but a damaged image is still refused
  EXPECT_EQ(error_of([&] { score(); }).code(), ErrorCode::kCorruptData);
}

TEST_F(ScoreImage, AMethodThatDoesNotRouteNeedsTheTaskUnlessThereIsOne) {
  method_.info_.picks_task = false;
  const Error error = error_of([&] { score(); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("name it (--task); known: bottle, cable"));
  EXPECT_EQ(score({.task = 7}).task, "cable");
  EXPECT_FALSE(score({.task = 7}).task_distance.has_value());
  tasks_.pop_back();
  EXPECT_EQ(score().task, "bottle");
}

TEST_F(ScoreImage, AnUnknownTaskIsRefused) {
  EXPECT_EQ(error_of([&] { score({.task = 5}); }).code(), ErrorCode::kInvalidArgument);
}

// The 2x2 map lies on 40x20 pixels; its upper right cell is 1, so bilinearly the map exceeds one
// half in the upper right quarter, cut at the line between the cells' centres: x > 20, y < 10 at
// the edges, less towards the middle where the product of both fractions must exceed one half.
TEST_F(ScoreImage, TheMapHasTheSizeOfTheImageAndRegionsAreInItsPixels) {
  method_.map_ = at::zeros({1, 2, 2});
  method_.map_[0][0][1] = 1;
  method_.score_ = 9;
  const Verdict verdict = score();
  EXPECT_EQ(verdict.map.height_px, 20);
  EXPECT_EQ(verdict.map.width_px, 40);
  ASSERT_EQ(verdict.map.values.size(), 800);
  EXPECT_EQ(verdict.map.values[39], 1);
  EXPECT_EQ(verdict.map.values[0], 0);
  ASSERT_EQ(verdict.regions.size(), 1);
  std::int64_t area = 0;
  for (int y = 0; y < 20; ++y) {
    for (int x = 0; x < 40; ++x) {
      const double right = std::clamp((x + 0.5) / 20 - 0.5, 0.0, 1.0);
      const double up = 1 - std::clamp((y + 0.5) / 10 - 0.5, 0.0, 1.0);
      area += right * up > 0.5;
    }
  }
  EXPECT_EQ(verdict.regions[0].area, area);
  EXPECT_EQ(verdict.regions[0].x, 20);
  EXPECT_EQ(verdict.regions[0].y, 0);
  EXPECT_EQ(verdict.regions[0].width, 20);
  EXPECT_EQ(verdict.regions[0].height, 10);

  const auto without_map = score({.makes_map = false});
  EXPECT_TRUE(without_map.map.empty());
  EXPECT_EQ(without_map.regions.size(), verdict.regions.size());
  method_.score_ = 0;  // a normal image has no regions
  EXPECT_TRUE(score().regions.empty());
}

TEST_F(ScoreImage, ALargeJpegMayBeDecodedSmallAndItsMapIsStillAsLargeAsTheImage) {
  method_.info_.input.reduced_decoding = true;
  photo_ = encode_jpeg(photo_of(kBottle, 1, {.height_px = 130, .width_px = 260}), 90);
  const Verdict verdict = score();
  EXPECT_EQ(verdict.map.height_px, 130);
  EXPECT_EQ(verdict.map.width_px, 260);
}

TEST_F(ScoreImage, ErrorsNameTheImage) {
  photo_.resize(photo_.size() / 2);
  EXPECT_THAT(error_of([&] { score(); }).what(), HasSubstr("photo.png: "));
  photo_ = encode_png(photo_of(kBottle, 1, {.height_px = 7, .width_px = 40}));
  const Error error = error_of([&] { score(); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("photo.png: 40x7 px; both sides need at least 8 px"));
}

TEST_F(ScoreImage, AScoreThatIsNoNumberIsAnErrorNotAVerdict) {
  method_.score_ = std::numeric_limits<float>::quiet_NaN();
  const Error error = error_of([&] { score(); });
  EXPECT_EQ(error.code(), ErrorCode::kNumeric);
  EXPECT_THAT(error.what(), HasSubstr("photo.png: the score is nan"));
}

TEST_F(ScoreImage, TheClockCountsEachStage) {
  const Verdict verdict = score();
  EXPECT_GT(verdict.clock.milliseconds(Stage::kDecode), 0);
  EXPECT_GT(verdict.clock.milliseconds(Stage::kPreprocess), 0);
  EXPECT_GT(verdict.clock.milliseconds(Stage::kScore), 0);
  EXPECT_EQ(verdict.clock.milliseconds(Stage::kRender), 0);
}

}  // namespace
}  // namespace cadenza
