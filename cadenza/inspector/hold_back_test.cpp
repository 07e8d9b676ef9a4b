#include "cadenza/inspector/hold_back.h"

#include <cmath>
#include <limits>

#include "tests/support/error_of.h"
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/inspector/regions.h"
#include "cadenza/inspector/threshold.h"

namespace cadenza {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(HoldBack, EveryFifthOfTwentyFiveOrMore) {
  EXPECT_THAT(hold_back(25).held_back, ElementsAre(4, 9, 14, 19, 24));
  EXPECT_EQ(hold_back(25).learned.size(), 20);
  EXPECT_TRUE(hold_back(24).held_back.empty());
  EXPECT_EQ(hold_back(24).learned.size(), 24);
  EXPECT_THAT(learn_all(3).learned, ElementsAre(0, 1, 2));
}

TEST(HoldBack, ScoresLieInThePieceAndComeOutAgain) {
  StatePiece piece;
  piece.tensors["bank"] = at::ones({2});
  Calibration calibration;
  calibration.scores = {3, 1, 2};
  calibration.distances = {1, 0.5, 1.5};
  put_held_back(calibration, piece);
  EXPECT_EQ(piece.tensors.size(), 3);
  const auto taken = take_held_back(piece);
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(taken->scores, calibration.scores);
  EXPECT_EQ(taken->distances, calibration.distances);
  EXPECT_EQ(piece.tensors.size(), 1);  // the method finds what it wrote
  EXPECT_FALSE(take_held_back(piece).has_value());
}

TEST(HoldBack, ScoresOfAnotherTypeAreRefused) {
  StatePiece piece;
  piece.tensors["inspector.scores"] = at::ones({2, 2});
  const Error error = error_of([&] { take_held_back(piece); });
  EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
  EXPECT_THAT(error.what(), HasSubstr("inspector.scores: expected [n] float32"));
}

TEST(HoldBack, VerdictsAddUpToACalibration) {
  Calibration calibration;
  Verdict verdict;
  verdict.score = 2;
  verdict.map = {1, 3, {0.5F, 7, 1}};
  add_held_back(calibration, verdict);
  verdict.score = 4;
  verdict.task_distance = 1.25;
  verdict.map = {1, 1, {3}};
  add_held_back(calibration, verdict);
  EXPECT_THAT(calibration.scores, ElementsAre(2, 4));
  EXPECT_THAT(calibration.distances, ElementsAre(1.25));
  EXPECT_EQ(calibration.map_threshold, 7);
}

// Section 6 of the specification, by hand: k = ceil(0.9 * 20) = 18 of 19 scores.
TEST(Threshold, IsTheConformalQuantileWhereTheNumberAllowsIt) {
  Calibration calibration;
  for (int score = 19; score >= 1; --score) calibration.scores.push_back(static_cast<float>(score));
  const auto record = make_threshold(&calibration, 0.1, ThresholdSource::kLeftOut);
  EXPECT_EQ(record.value, 18);
  EXPECT_TRUE(record.is_certified);
  EXPECT_EQ(record.n_normals, 19);
  EXPECT_EQ(record.target_fpr, 0.1);
  EXPECT_EQ(make_threshold(&calibration, 0.05, ThresholdSource::kLeftOut).value, 19);
  EXPECT_FALSE(make_threshold(&calibration, 0.01, ThresholdSource::kLeftOut).is_certified);
  calibration.certifiable = false;
  EXPECT_FALSE(make_threshold(&calibration, 0.1, ThresholdSource::kHeldBack).is_certified);
}

TEST(Threshold, IsAbsentWithFewNormalsOrNone) {
  Calibration calibration;
  calibration.scores = {1, 2, 3, 4};
  EXPECT_FALSE(make_threshold(&calibration, 0.05, ThresholdSource::kLeftOut).value.has_value());
  EXPECT_EQ(make_threshold(&calibration, 0.05, ThresholdSource::kLeftOut).n_normals, 4);
  EXPECT_FALSE(make_threshold(nullptr, 0.05, ThresholdSource::kHeldBack).value.has_value());
}

TEST(Threshold, TargetsOutsideTheHalfAreRefused) {
  for (const double target : {0.0, -0.1, 0.51, std::nan("")}) {
    const Error error =
        error_of([&] { make_threshold(nullptr, target, ThresholdSource::kLeftOut); });
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << target;
    EXPECT_THAT(error.what(), HasSubstr("(0, 0.5]"));
  }
}

// 0 1 2 3 4      two parts of the map exceed 1: the left one touches itself over a corner.
TEST(Regions, AreTheConnectedPartsAboveTheThresholdWorstFirst) {
  const ScoreMap map{3,
                     5,
                     {2, 1, 1, 1, 9,  //
                      1, 4, 1, 1, 8,  //
                      1, 1, 1, 1, 1}};
  const auto regions = find_regions(map, 1);
  ASSERT_EQ(regions.size(), 2);
  EXPECT_EQ(regions[0].x, 4);
  EXPECT_EQ(regions[0].y, 0);
  EXPECT_EQ(regions[0].width, 1);
  EXPECT_EQ(regions[0].height, 2);
  EXPECT_EQ(regions[0].max_score, 9);
  EXPECT_EQ(regions[1].area, 2);
  EXPECT_EQ(regions[1].max_score, 4);
  EXPECT_THAT(regions[1].centroid, ElementsAre(0.5, 0.5));
  EXPECT_TRUE(find_regions(map, 9).empty());
}

}  // namespace
}  // namespace cadenza
