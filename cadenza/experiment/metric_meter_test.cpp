#include "cadenza/experiment/metric_meter.h"

#include "tests/support/temporary_folder.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/base/file.h"
#include "cadenza/base/rng.h"
#include "cadenza/image/encode.h"

namespace cadenza {
namespace {

using testing::Contains;
using testing::HasSubstr;

constexpr std::int64_t kSide = 8;

Verdict verdict_of(double score, std::vector<float> map = {}) {
  Verdict verdict;
  verdict.score = score;
  if (!map.empty()) verdict.map = {kSide, kSide, std::move(map)};
  return verdict;
}

/// A defect whose mask is the left half of the picture.
Sample half_defect(const std::filesystem::path& folder) {
  Image mask{kSide, kSide, 1, {}};
  for (std::int64_t pixel = 0; pixel < kSide * kSide; ++pixel) {
    mask.pixels.push_back(pixel % kSide < kSide / 2 ? 255 : 0);
  }
  write_file_atomic(folder / "mask.png", encode_png(mask));
  return {.file = folder / "a.png",
          .is_defect = true,
          .defect_type = "half",
          .masks = {{.path = folder / "mask.png", .saturation_px = {}}}};
}

TEST(MetricMeter, ImageMetricsAreThoseOfCountedPairs) {
  Rng rng(3, "meter");
  const auto meter = make_metric_meter({.has_pixels = false});
  std::vector<double> normal, defect;
  for (int image = 0; image < 60; ++image) {
    const bool is_defect = image % 3 == 0;
    const double score = static_cast<double>(rng.below(12)) + (is_defect ? 3 : 0);  // with ties
    meter->add({.is_defect = is_defect}, verdict_of(score));
    (is_defect ? defect : normal).push_back(score);
  }
  double won = 0;
  for (const auto one : defect) {
    for (const auto other : normal) won += one > other ? 1 : one == other ? 0.5 : 0;
  }
  const auto metrics = meter->measure();
  EXPECT_NEAR(*metrics.values.at("image_AUROC"),
              won / static_cast<double>(defect.size() * normal.size()), 1e-12);
  EXPECT_FALSE(metrics.values.contains("pixel_AUROC"));
  EXPECT_TRUE(metrics.notes.empty());
}

TEST(MetricMeter, PixelMetricsAreOneWhereTheMapIsTheMask) {
  const TemporaryFolder folder;
  const auto meter = make_metric_meter({});
  std::vector<float> map;
  for (std::int64_t pixel = 0; pixel < kSide * kSide; ++pixel) {
    map.push_back(pixel % kSide < kSide / 2 ? 1.F : 0.F);
  }
  meter->add(half_defect(folder.path()), verdict_of(1, map));
  meter->add({}, verdict_of(0, std::vector<float>(kSide * kSide, 0)));
  const auto metrics = meter->measure();
  for (const char* name : {"pixel_AUROC", "pixel_AUPR", "pixel_F1Max", "pixel_AUPRO"}) {
    EXPECT_NEAR(metrics.values.at(name).value_or(-1), 1, 1e-12) << name;
  }
}

TEST(MetricMeter, SaysWhyAMetricIsUndefined) {
  const auto only_normal = make_metric_meter({});
  only_normal->add({}, verdict_of(0, std::vector<float>(kSide * kSide, 0)));
  const auto metrics = only_normal->measure();
  EXPECT_FALSE(metrics.values.at("image_AUROC").has_value());
  EXPECT_THAT(metrics.notes, Contains(HasSubstr("image_AUROC undefined")));
  EXPECT_THAT(metrics.notes, Contains(HasSubstr("pixel metrics undefined: no defects")));

  const auto no_mask = make_metric_meter({});
  no_mask->add({.is_defect = true}, verdict_of(1, std::vector<float>(kSide * kSide, 0)));
  EXPECT_THAT(no_mask->measure().notes, Contains("pixel metrics undefined: no masks"));
}

}  // namespace
}  // namespace cadenza
