#include "cadenza/metric/score_curve.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "tests/support/error_of.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/base/rng.h"

namespace cadenza {
namespace {

using testing::HasSubstr;

struct Labelled {
  std::vector<double> scores;
  std::vector<std::uint8_t> labels;
  ScoreCurve curve() const { return ScoreCurve::of(scores, labels); }
};

/// Both kinds, 2 to 41 items; few distinct scores, so that ties are the rule.
Labelled random_items(std::uint64_t seed) {
  Rng rng(seed, "items");
  Labelled items{{rng.normal(), rng.normal()}, {0, 1}};
  const auto n_levels = 1 + rng.below(12);
  for (auto n = rng.below(40); n > 0; --n) {
    items.scores.push_back(static_cast<double>(rng.below(n_levels)) / 7 - 0.5);
    items.labels.push_back(static_cast<std::uint8_t>(rng.below(2)));
  }
  return items;
}

double auroc_by_pairs(const Labelled& items) {
  double right = 0, pairs = 0;
  for (std::size_t anomalous = 0; anomalous < items.scores.size(); ++anomalous) {
    for (std::size_t normal = 0; normal < items.scores.size(); ++normal) {
      if (items.labels[anomalous] == 0 || items.labels[normal] == 1) continue;
      const auto gap = items.scores[anomalous] - items.scores[normal];
      right += gap > 0 ? 1 : gap == 0 ? 0.5 : 0;
      ++pairs;
    }
  }
  return right / pairs;
}

struct Counts {
  double true_positives = 0, false_positives = 0, n_anomalous = 0, n_normal = 0;
};
Counts counts_at(const Labelled& items, double threshold) {
  Counts counts;
  for (std::size_t item = 0; item < items.scores.size(); ++item) {
    const bool is_called = items.scores[item] >= threshold;
    (items.labels[item] != 0 ? counts.n_anomalous : counts.n_normal) += 1;
    if (is_called) (items.labels[item] != 0 ? counts.true_positives : counts.false_positives) += 1;
  }
  return counts;
}

struct ByThresholds {
  double average_precision = 0, f1_max = 0, best_accuracy = 0, trapezoid = 0;
};
ByThresholds by_thresholds(const Labelled& items) {
  const std::set<double, std::greater<>> thresholds(items.scores.begin(), items.scores.end());
  ByThresholds found;
  double recall_before = 0, precision_before = 1;
  const auto n = static_cast<double>(items.scores.size());
  found.best_accuracy = counts_at(items, 1e9).n_normal / n;
  for (const auto threshold : thresholds) {
    const auto counts = counts_at(items, threshold);
    const auto called = counts.true_positives + counts.false_positives;
    const auto recall = counts.true_positives / counts.n_anomalous;
    const auto precision = counts.true_positives / called;
    found.average_precision += (recall - recall_before) * precision;
    found.trapezoid += (recall - recall_before) * (precision + precision_before) / 2;
    if (counts.true_positives > 0) {
      found.f1_max = std::max(found.f1_max, 2 * precision * recall / (precision + recall));
    }
    found.best_accuracy =
        std::max(found.best_accuracy,
                 (counts.true_positives + counts.n_normal - counts.false_positives) / n);
    recall_before = recall;
    precision_before = precision;
  }
  return found;
}

TEST(ScoreCurve, AgreesWithTheDefinitionsOnRandomScoresWithTies) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const auto items = random_items(seed);
    const auto curve = items.curve();
    const auto expected = by_thresholds(items);
    EXPECT_NEAR(curve.auroc().value.value(), auroc_by_pairs(items), 1e-12) << "seed " << seed;
    EXPECT_NEAR(curve.average_precision().value.value(), expected.average_precision, 1e-12)
        << "seed " << seed;
    EXPECT_NEAR(curve.f1_max().value.value(), expected.f1_max, 1e-12) << "seed " << seed;
    EXPECT_NEAR(curve.best_accuracy().value.value(), expected.best_accuracy, 1e-12)
        << "seed " << seed;
    EXPECT_NEAR(curve.precision_recall_trapezoid().value.value(), expected.trapezoid, 1e-12)
        << "seed " << seed;
  }
}

TEST(ScoreCurve, TheThresholdOfF1MaxReachesItAndIsTheHighest) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const auto items = random_items(seed);
    const auto curve = items.curve();
    const auto f1_at = [&](double threshold) {
      const auto counts = counts_at(items, threshold);
      return 2 * counts.true_positives /
             (counts.true_positives + counts.false_positives + counts.n_anomalous);
    };
    const auto threshold = curve.f1_max_threshold();
    EXPECT_NEAR(f1_at(threshold), curve.f1_max().value.value(), 1e-12) << "seed " << seed;
    for (const auto score : items.scores) {
      if (score > threshold) {
        EXPECT_LT(f1_at(score), curve.f1_max().value.value() - 1e-12) << "seed " << seed;
      }
    }
  }
}

// dne_cl.md 8, TV-9: alone, with ties, and two classes pooled.
TEST(ScoreCurve, PublishedAreas) {
  const Labelled alone{{.1, .4, .35, .8, .4, .4, .9, .2}, {0, 0, 1, 1, 0, 1, 1, 0}};
  EXPECT_EQ(alone.curve().auroc().value, 0.8125);
  const Labelled tied{{.1, .2, .2, .3, .2, .2, .2, .5}, {0, 0, 0, 0, 1, 1, 1, 1}};
  EXPECT_EQ(tied.curve().auroc().value, 0.625);
  const Labelled pooled{{1, 2, 3, 11, 12, 13}, {0, 0, 1, 0, 0, 1}};
  EXPECT_EQ(pooled.curve().auroc().value, 0.75);
}

TEST(ScoreCurve, ARisingMapOfTheScoresChangesNothing) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto items = random_items(seed);
    auto mapped = items;
    for (auto& score : mapped.scores) score = std::exp(3 * score) - 100;
    const auto before = items.curve(), after = mapped.curve();
    EXPECT_EQ(before.auroc().value, after.auroc().value) << "seed " << seed;
    EXPECT_EQ(before.average_precision().value, after.average_precision().value);
    EXPECT_EQ(before.f1_max().value, after.f1_max().value);
  }
}

TEST(ScoreCurve, TurningScoresRoundTurnsTheAreaRound) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto items = random_items(seed);
    auto turned = items;
    for (auto& score : turned.scores) score = -score;
    EXPECT_NEAR(*items.curve().auroc().value + *turned.curve().auroc().value, 1, 1e-12)
        << "seed " << seed;
  }
}

TEST(ScoreCurve, ZeroHasNoSign) {
  const Labelled items{{0.0, -0.0}, {0, 1}};
  EXPECT_EQ(items.curve().auroc().value, 0.5);
}

TEST(ScoreCurve, TheRocCurveEnclosesTheArea) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto curve = random_items(seed).curve();
    const auto corners = roc_points(curve);
    double area = 0;
    for (std::size_t at = 1; at < corners.size(); ++at) {
      ASSERT_GE(corners[at].x, corners[at - 1].x) << "seed " << seed;
      ASSERT_GE(corners[at].y, corners[at - 1].y) << "seed " << seed;
      area += (corners[at].x - corners[at - 1].x) * (corners[at].y + corners[at - 1].y) / 2;
    }
    EXPECT_NEAR(area, curve.auroc().value.value(), 1e-12) << "seed " << seed;
    EXPECT_EQ(corners.back().x, 1);
    EXPECT_EQ(corners.back().y, 1);
  }
}

TEST(ScoreCurve, SaysWhyThereIsNoNumber) {
  const auto only_normal = Labelled{{1, 2}, {0, 0}}.curve();
  EXPECT_EQ(only_normal.auroc().value, std::nullopt);
  EXPECT_EQ(only_normal.auroc().reason, "no anomalous images");
  EXPECT_EQ(only_normal.average_precision().reason, "no anomalous images");
  EXPECT_EQ(only_normal.precision_recall_trapezoid().reason, "no anomalous images");
  EXPECT_EQ(only_normal.f1_max().reason, "no anomalous images");
  EXPECT_EQ(only_normal.best_accuracy().value, 1.0);
  EXPECT_TRUE(roc_points(only_normal).empty());
  EXPECT_EQ(error_of([&] { only_normal.f1_max_threshold(); }).code(), ErrorCode::kInvalidArgument);

  const auto only_anomalous = Labelled{{1, 2}, {1, 1}}.curve();
  EXPECT_EQ(only_anomalous.auroc().reason, "no normal images");
  EXPECT_EQ(only_anomalous.average_precision().value, 1.0);
  EXPECT_EQ(only_anomalous.f1_max().value, 1.0);

  const auto empty = Labelled{}.curve();
  EXPECT_EQ(empty.best_accuracy().reason, "no images");
}

TEST(ScoreCurve, RefusesWhatCannotBeRanked) {
  const auto error =
      error_of([] { Labelled{{1, std::numeric_limits<double>::quiet_NaN()}, {0, 1}}.curve(); });
  EXPECT_EQ(error.code(), ErrorCode::kNumeric);
  EXPECT_THAT(error.what(), HasSubstr("score 1 is nan"));
  const auto infinite = std::numeric_limits<double>::infinity();
  EXPECT_EQ(error_of([&] { Labelled{{infinite}, {0}}.curve(); }).code(), ErrorCode::kNumeric);
  EXPECT_EQ(error_of([] { Labelled{{1, 2}, {0}}.curve(); }).code(), ErrorCode::kInvalidArgument);
}

TEST(AccuracyAt, CountsBothSides) {
  const Labelled items{{.1, .4, .35, .8, .4, .4, .9, .2}, {0, 0, 1, 1, 0, 1, 1, 0}};
  EXPECT_EQ(accuracy_at(items.scores, items.labels, 0.26).value, 0.75);  // dne_cl.md TV-9
  EXPECT_EQ(accuracy_at(items.scores, items.labels, 0.4).value, 0.75);   // above, not at
  EXPECT_EQ(accuracy_at(items.scores, items.labels, 1).value, 0.5);
  EXPECT_EQ(accuracy_at({}, {}, 1).reason, "no images");
}

}  // namespace
}  // namespace cadenza
