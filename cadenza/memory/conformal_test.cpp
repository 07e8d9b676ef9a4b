#include "cadenza/memory/conformal.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/error_of.h"
#include <gtest/gtest.h>

#include "cadenza/base/error.h"
#include "cadenza/base/rng.h"

namespace cadenza {
namespace {

std::vector<float> random_scores(std::int64_t n, Rng& rng) {
  std::vector<float> scores;
  for (std::int64_t k = 0; k < n; ++k) scores.push_back(static_cast<float>(std::exp(rng.normal())));
  return scores;
}

TEST(PValue, CountsTheNormalsThatScoreAtLeastAsHigh) {
  const std::vector<float> normals = {3, 1, 2, 2};
  EXPECT_DOUBLE_EQ(p_value(normals, 0.5), 5.0 / 5);
  EXPECT_DOUBLE_EQ(p_value(normals, 2), 4.0 / 5);
  EXPECT_DOUBLE_EQ(p_value(normals, 2.5), 2.0 / 5);
  EXPECT_DOUBLE_EQ(p_value(normals, 4), 1.0 / 5);
  EXPECT_DOUBLE_EQ(p_value({}, 4), 1.0);
}

TEST(PValue, IsUniformForANormalLikeTheOthers) {
  Rng rng(1, "conformal_test");
  const std::int64_t n = 9, n_trials = 20000;
  std::vector<int> counts(n + 2);
  for (std::int64_t trial = 0; trial < n_trials; ++trial) {
    const auto scores = random_scores(n + 1, rng);
    const double p = p_value(std::span(scores).first(n), double{scores.back()});
    ++counts[static_cast<std::size_t>(std::lround(p * (n + 1)))];
  }
  for (std::size_t step = 1; step <= n + 1; ++step) {
    EXPECT_NEAR(counts[step], n_trials / 10, 5 * std::sqrt(n_trials * 0.09)) << step;  // 5 sigma
  }
}

TEST(ThresholdFor, IsTheScoreOfRankOneMinusTargetTimesNPlusOne) {
  std::vector<float> normals;
  for (int k = 1; k <= 19; ++k) normals.push_back(static_cast<float>(k));
  std::reverse(normals.begin(), normals.end());
  // ceil(.95 * 20) = 19: the largest; ceil(.9 * 20) = 18; ceil(.5 * 20) = 10.
  EXPECT_EQ(threshold_for(normals, 0.05)->value, 19);
  EXPECT_TRUE(threshold_for(normals, 0.05)->is_certified);
  EXPECT_EQ(threshold_for(normals, 0.10)->value, 18);
  EXPECT_EQ(threshold_for(normals, 0.50)->value, 10);
}

TEST(ThresholdFor, CertifiesFromTheCountThatSectionSixStates) {
  Rng rng(2, "conformal_test");
  for (const auto& [target, least] : {std::pair{0.10, 9}, {0.05, 19}, {0.01, 99}, {0.001, 999}}) {
    EXPECT_TRUE(threshold_for(random_scores(least, rng), target)->is_certified) << target;
    EXPECT_FALSE(threshold_for(random_scores(least - 1, rng), target)->is_certified) << target;
  }
  EXPECT_FALSE(threshold_for(random_scores(4, rng), 0.5).has_value());
  EXPECT_TRUE(threshold_for(random_scores(5, rng), 0.5).has_value());
}

TEST(ThresholdFor, IsExceededByNewNormalsAsOftenAsPromised) {
  Rng rng(3, "conformal_test");
  const int n_trials = 20000;
  int n_alarms = 0;
  for (int trial = 0; trial < n_trials; ++trial) {
    const auto scores = random_scores(40, rng);
    const auto threshold = threshold_for(std::span(scores).first(39), 0.10);
    n_alarms += double{scores.back()} > threshold->value ? 1 : 0;
  }
  EXPECT_NEAR(n_alarms / double{n_trials}, 0.10, 5 * std::sqrt(0.09 / n_trials));
}

TEST(ThresholdFor, IsTheLogTBoundWhereNothingCanBeCertified) {
  // By hand: S = 1..5, sd0 = sqrt 2, o = 1 - sqrt 2, t(4 dof, .99) = 3.7469473879791968.
  const std::vector<float> normals = {4, 1, 5, 2, 3};
  const double origin = 1 - std::sqrt(2.0);
  double mean = 0, squares = 0;
  for (int k = 1; k <= 5; ++k) mean += std::log(k - origin) / 5;
  for (int k = 1; k <= 5; ++k) squares += std::pow(std::log(k - origin) - mean, 2);
  const double want =
      origin + std::exp(mean + 3.7469473879791968 * std::sqrt(squares / 4) * std::sqrt(1.2));
  const auto threshold = threshold_for(normals, 0.01);
  EXPECT_NEAR(threshold->value, want, 1e-9);
  EXPECT_FALSE(threshold->is_certified);
  // Scores without spread.
  EXPECT_DOUBLE_EQ(threshold_for(std::vector<float>(6, 2.0F), 0.01)->value, 2.1);
}

TEST(ThresholdFor, RefusesATargetOrAScoreThatIsNone) {
  const std::vector<float> normals(9, 1.0F);
  for (const double target : {0.0, 1.0, -0.1, std::nan("")}) {
    EXPECT_EQ(error_of([&] { threshold_for(normals, target); }).code(),
              ErrorCode::kInvalidArgument);
  }
  std::vector<float> broken = normals;
  broken[4] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(error_of([&] { threshold_for(broken, 0.1); }).code(), ErrorCode::kNumeric);
}

TEST(StudentQuantile, HasThePublishedValues) {
  // 1 degree of freedom is Cauchy, 2 has a closed form; the others are printed tables' values
  // (three decimals) and the limit is the normal law.
  EXPECT_NEAR(student_quantile(0.95, 1), std::tan(0.45 * M_PI), 1e-9);
  EXPECT_NEAR(student_quantile(0.99, 2), 0.98 * std::sqrt(2 / (1 - 0.98 * 0.98)), 1e-9);
  EXPECT_NEAR(student_quantile(0.99, 4), 3.747, 5e-4);
  EXPECT_NEAR(student_quantile(0.95, 7), 1.895, 5e-4);
  EXPECT_NEAR(student_quantile(0.975, 10), 2.228, 5e-4);
  EXPECT_NEAR(student_quantile(0.90, 30), 1.310, 5e-4);
  EXPECT_NEAR(student_quantile(0.995, 120), 2.617, 5e-4);
  EXPECT_NEAR(student_quantile(0.99, 10000), 2.3264, 1e-3);
  EXPECT_DOUBLE_EQ(student_quantile(0.3, 7), -student_quantile(0.7, 7));
  EXPECT_NEAR(student_quantile(0.5, 3), 0, 1e-12);
  EXPECT_EQ(error_of([] { student_quantile(1.0, 3); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([] { student_quantile(0.9, 0); }).code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cadenza
