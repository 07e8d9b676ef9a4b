#include "cadenza/experiment/epoch_ensemble.h"

#include <map>

#include "tests/support/error_of.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cadenza {
namespace {

/// Keeps what it is given; "image_AUROC" is the first image's score.
struct Given {
  std::vector<double> scores;
  std::vector<ScoreMap> maps;
};
class KeepingMeter final : public TaskMeter {
 public:
  explicit KeepingMeter(Given& given) : given_(given) { given_ = {}; }
  void add(const Sample&, const Verdict& verdict) override {
    given_.scores.push_back(verdict.score.value());
    given_.maps.push_back(verdict.map);
  }
  MetricValues measure() const override {
    return {.values = {{"image_AUROC", given_.scores.at(0)}}, .notes = {}};
  }

 private:
  Given& given_;
};

class JoinedEpochs : public testing::Test {
 protected:
  JoinedEpochs() {
    for (const auto* file : {"a", "b", "c"}) {
      images_.of_task["nut"].push_back({.file = file, .task = "nut"});
    }
  }
  EpochEnsemble ensemble() {
    const auto make = [this](const MeterOptions&) {
      return std::make_unique<KeepingMeter>(given_);
    };
    return {images_, {"nut"}, make, 0};
  }
  static Verdict verdict(double score, ScoreMap map) {
    Verdict verdict;
    verdict.score = score;
    verdict.map = std::move(map);
    return verdict;
  }

  TestImages images_;
  Given given_;
};

TEST_F(JoinedEpochs, AreScaledOverTheTestImagesAndAveraged) {
  auto joined = ensemble();
  std::map<std::string, Verdict> by_file;
  const auto score = [&](const Sample& sample) { return by_file.at(sample.file.string()); };
  by_file = {{"a", verdict(2, {1, 2, {0, 4}})},
             {"b", verdict(4, {1, 2, {8, 0}})},
             {"c", verdict(3, {1, 1, {2}})}};
  joined.add_epoch(score);
  by_file = {{"a", verdict(10, {1, 2, {1, 1}})},
             {"b", verdict(0, {1, 2, {1, 3}})},
             {"c", verdict(10, {1, 1, {2}})}};
  joined.add_epoch(score);
  // Scores scaled: 0 1 .5 and 1 0 1; maps: 0 .5 | 1 0 | .25 and 0 0 | 0 1 | .5.
  EXPECT_DOUBLE_EQ(joined.image_auroc(), 0.5);
  joined.measure();
  EXPECT_THAT(given_.scores, testing::ElementsAre(0.5, 0.5, 0.75));
  EXPECT_THAT(given_.maps[0].values, testing::ElementsAre(0, 0.25));
  EXPECT_THAT(given_.maps[1].values, testing::ElementsAre(0.5, 0.5));
  EXPECT_THAT(given_.maps[2].values, testing::ElementsAre(0.375));
}

TEST_F(JoinedEpochs, LargeMapsComeBackAtTheirSize) {
  auto joined = ensemble();
  ScoreMap slope{.height_px = 600, .width_px = 1000, .values = {}};
  for (int y = 0; y < 600; ++y) {
    for (int x = 0; x < 1000; ++x) slope.values.push_back(static_cast<float>(x));
  }
  joined.add_epoch([&](const Sample&) { return verdict(1, slope); });
  joined.measure();
  ASSERT_EQ(given_.maps[0].height_px, 600);
  ASSERT_EQ(given_.maps[0].width_px, 1000);
  for (const auto x : {100, 500, 900}) {
    EXPECT_NEAR(given_.maps[0].values[static_cast<std::size_t>(300 * 1000 + x)], x / 999., 0.01);
  }
}

TEST_F(JoinedEpochs, WithoutMapsAndWithoutDefects) {
  auto joined = ensemble();
  joined.add_epoch([&](const Sample&) { return verdict(1, {}); });
  joined.measure();
  EXPECT_TRUE(given_.maps[0].empty());

  class NothingDefined final : public TaskMeter {
    void add(const Sample&, const Verdict&) override {}
    MetricValues measure() const override {
      return {.values = {{"image_AUROC", std::nullopt}}, .notes = {}};
    }
  };
  EpochEnsemble undefined(
      images_, {"nut"}, [](const MeterOptions&) { return std::make_unique<NothingDefined>(); }, 0);
  undefined.add_epoch([&](const Sample&) { return verdict(1, {}); });
  const auto error = error_of([&] { undefined.image_auroc(); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cadenza
