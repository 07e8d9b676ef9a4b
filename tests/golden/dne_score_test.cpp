// Vectors TV-9 and TV-11 of the dne_cl specification, section 8.
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cadenza/experiment/protocol.h"
#include "cadenza/memory/embedding_scorer.h"
#include "cadenza/memory/nearest.h"
#include "cadenza/metric/continual_scores.h"
#include "cadenza/metric/oracle_accuracy.h"
#include "cadenza/metric/score_curve.h"

namespace cadenza {
namespace {

double auroc(const std::vector<double>& scores, const std::vector<std::uint8_t>& labels) {
  return ScoreCurve::of(scores, labels).auroc().value.value();
}

TEST(TV_9, ContinualScoresOfTheMatrix) {
  const auto none = std::nullopt;
  const MetricMatrix matrix = {{.95, none, none, none},
                               {.90, .80, none, none},
                               {.97, .70, .99, none},
                               {.85, .75, .995, .60}};
  const std::vector<std::int64_t> learned_in = {0, 1, 2, 3};
  const auto scores = continual_scores(matrix, learned_in, none);
  EXPECT_NEAR(*scores.final_mean, .79875, 1e-12);
  EXPECT_NEAR(*scores.backward_transfer, -.0483333, 1e-7);
  EXPECT_NEAR(*scores.forgetting, .055, 1e-12);
  EXPECT_NEAR(*scores.forgetting_inclusive, .0566667, 1e-7);
  EXPECT_NEAR(*scores.average_incremental, .8713542, 1e-7);
  EXPECT_GE(*scores.forgetting_inclusive, *scores.forgetting);
}

TEST(TV_9, AreasUnderTheCurve) {
  EXPECT_DOUBLE_EQ(auroc({.1, .4, .35, .8, .4, .4, .9, .2}, {0, 0, 1, 1, 0, 1, 1, 0}), .8125);
  // Ties: .8125 by a program that adds a point at the first element of a group only.
  EXPECT_DOUBLE_EQ(auroc({.1, .2, .2, .3, .2, .2, .2, .5}, {0, 0, 0, 0, 1, 1, 1, 1}), .625);
}

TEST(TV_9, PoolingTwoPerfectClasses) {
  EXPECT_DOUBLE_EQ(auroc({1, 2, 3}, {0, 0, 1}), 1);
  EXPECT_DOUBLE_EQ(auroc({11, 12, 13}, {0, 0, 1}), 1);
  EXPECT_DOUBLE_EQ(auroc({1, 2, 3, 11, 12, 13}, {0, 0, 1, 0, 0, 1}), .75);
}

TEST(TV_9, OracleAccuracy) {
  const std::vector<double> scores = {.1, .4, .35, .8, .4, .4, .9, .2};
  const std::vector<std::uint8_t> labels = {0, 0, 1, 1, 0, 1, 1, 0};
  const auto found = percentile_accuracy(scores, labels);
  EXPECT_DOUBLE_EQ(found.accuracy.value.value(), .75);
  EXPECT_NEAR(found.threshold, .26, 1e-12);
}

at::Tensor matrix(std::vector<double> values) {
  return at::tensor(values, at::kDouble).view({-1, 3}).clone();
}

void expect_near(const at::Tensor& found, const std::vector<double>& wanted, double tolerance) {
  ASSERT_EQ(found.numel(), std::ssize(wanted));
  for (std::size_t at = 0; at < wanted.size(); ++at) {
    EXPECT_NEAR(found[std::int64_t(at)].item<double>(), wanted[at], tolerance) << at;
  }
}

TEST(TV_9, NearestNeighbours) {
  const at::Tensor memory = matrix({1, 0, 0, .6, .8, 0, 0, .6, .8});
  const at::Tensor queries = matrix({2, 0, 0, 1, 1, 1, 0, 0, 3});
  const auto scorer = make_knn_scorer(2000);
  scorer->learn(std::vector<TaskEmbeddings>{{0, "a", memory}}, 0);
  expect_near(scorer->score(queries, {}).score, {0, .19170962, .2}, 1e-7);
  const PackedBank bank(memory.to(at::kFloat));
  const at::Tensor unit = queries / queries.norm(2, 1, true);
  expect_near(bank.search(unit.to(at::kFloat)).distance, {0, .61920856, .63245553}, 1e-6);
}

TEST(TV_9, AGaussianATask) {
  const auto scorer = make_task_gaussian_scorer();
  scorer->learn(
      std::vector<TaskEmbeddings>{{0, "a", matrix({1, 0, 0, .9, .1, 0, .8, 0, .2, 1, .2, .1})}}, 0);
  // Statistics are kept in float32.
  expect_near(scorer->score(matrix({1, 1, 1}), {}).score, {6.302302285272}, 1e-6);
}

TEST(TV_11, TheTwentyTasksInTheirShuffledOrder) {
  const std::vector<std::string> wanted = {"splicing_connectors",
                                           "hazelnut",
                                           "zipper",
                                           "grid",
                                           "screw",
                                           "wood",
                                           "breakfast_box",
                                           "screw_bag",
                                           "leather",
                                           "transistor",
                                           "pushpins",
                                           "tile",
                                           "cable",
                                           "toothbrush",
                                           "capsule",
                                           "juice_bottle",
                                           "metal_nut",
                                           "pill",
                                           "bottle",
                                           "carpet"};
  const auto stream = make_stream("mvtec_loco_20", wanted, std::nullopt);
  EXPECT_EQ(stream.order, wanted);
  EXPECT_EQ(stream.steps.size(), 20);
}

}  // namespace
}  // namespace cadenza
