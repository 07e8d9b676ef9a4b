#include "cadenza/metric/pixel_meter.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <vector>

#include "tests/support/error_of.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/base/rng.h"
#include "cadenza/metric/components.h"

namespace cadenza {
namespace {

using testing::HasSubstr;

struct Picture {
  std::int64_t height = 0, width = 0;
  std::vector<float> map;
  std::vector<std::uint8_t> mask;
};

/// 1 to 5 pictures of at most 12x12, half of them with random blobs; `n_levels` distinct scores.
std::vector<Picture> random_pictures(std::uint64_t seed, std::uint64_t n_levels) {
  Rng rng(seed, "pictures");
  std::vector<Picture> pictures(1 + rng.below(5));
  for (auto& picture : pictures) {
    picture.height = static_cast<std::int64_t>(1 + rng.below(12));
    picture.width = static_cast<std::int64_t>(1 + rng.below(12));
    const auto cover = rng.below(2) == 0 ? 0.0 : 0.4 * rng.uniform();
    for (std::int64_t pixel = 0; pixel < picture.height * picture.width; ++pixel) {
      const bool is_defect = rng.uniform() < cover;
      const auto level = static_cast<float>(rng.below(n_levels)) / static_cast<float>(n_levels);
      picture.mask.push_back(is_defect ? (rng.below(2) == 0 ? 255 : 128) : 0);
      picture.map.push_back(4 * (level + (is_defect ? 0.2F : 0)) - 2);
    }
  }
  return pictures;
}

PixelMeter meter_of(const std::vector<Picture>& pictures, const PixelMeterOptions& options = {}) {
  PixelMeter meter(options);
  for (const auto& picture : pictures) {
    meter.add(picture.map, picture.mask, picture.height, picture.width);
  }
  return meter;
}

/// The definition, threshold by threshold: mean share of each component's pixels that score at
/// least the threshold against the share of the pixels outside that do; trapezoids to `limit`.
std::optional<double> aupro_by_thresholds(const std::vector<Picture>& pictures, double limit) {
  std::set<float, std::greater<>> thresholds;
  for (const auto& picture : pictures) {
    thresholds.insert(picture.map.begin(), picture.map.end());
  }
  double area = 0, rate_before = 0, overlap_before = 0;
  for (const auto threshold : thresholds) {
    double overlap_sum = 0, n_regions = 0, n_outside = 0, n_false = 0;
    for (const auto& picture : pictures) {
      const auto components = label_components(picture.mask, picture.height, picture.width);
      std::vector<double> hits(components.list.size(), 0);
      for (std::size_t pixel = 0; pixel < picture.map.size(); ++pixel) {
        const bool is_called = picture.map[pixel] >= threshold;
        const auto label = components.labels[pixel];
        if (label > 0) {
          hits[std::size_t(label - 1)] += is_called;
        } else {
          n_outside += 1;
          n_false += is_called;
        }
      }
      for (std::size_t index = 0; index < hits.size(); ++index) {
        overlap_sum += hits[index] / double(components.list[index].area);
        n_regions += 1;
      }
    }
    if (n_regions == 0 || n_outside == 0) return std::nullopt;
    const auto rate = n_false / n_outside, overlap = overlap_sum / n_regions;
    if (rate_before < limit) {
      const auto end = std::min(rate, limit);
      const auto part = rate == rate_before ? 0 : (end - rate_before) / (rate - rate_before);
      const auto overlap_end = overlap_before + part * (overlap - overlap_before);
      area += (end - rate_before) * (overlap_before + overlap_end) / 2;
    }
    rate_before = rate;
    overlap_before = overlap;
  }
  return area / limit;
}

TEST(PixelMeter, AuproIsThatOfItsDefinition) {
  int n_defined = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto pictures = random_pictures(seed, seed % 2 == 0 ? 6 : 1000);
    const auto regions = meter_of(pictures).curves().regions;
    for (const auto limit : {0.01, 0.05, 0.3, 0.7, 1.0}) {
      const auto expected = aupro_by_thresholds(pictures, limit);
      const auto found = regions.area(limit);
      ASSERT_EQ(found.value.has_value(), expected.has_value()) << "seed " << seed;
      if (!expected) continue;
      ++n_defined;
      EXPECT_NEAR(*found.value, *expected, 1e-9) << "seed " << seed << ", limit " << limit;
      EXPECT_GE(*found.value, 0);
      EXPECT_LE(*found.value, 1);
    }
  }
  EXPECT_GT(n_defined, 300);
}

TEST(PixelMeter, PixelsRankAsImagesDo) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const auto pictures = random_pictures(seed, seed % 2 == 0 ? 6 : 1000);
    for (const auto truth : {MaskTruth::kAboveZero, MaskTruth::kFull}) {
      std::vector<double> scores;
      std::vector<std::uint8_t> labels;
      for (const auto& picture : pictures) {
        scores.insert(scores.end(), picture.map.begin(), picture.map.end());
        for (const auto value : picture.mask) {
          labels.push_back(truth == MaskTruth::kFull ? value == 255 : value > 0);
        }
      }
      const auto expected = ScoreCurve::of(scores, labels);
      const auto found = meter_of(pictures, {.truth = truth}).curves();
      EXPECT_TRUE(found.is_exact);
      EXPECT_EQ(found.pixels.auroc().value, expected.auroc().value) << "seed " << seed;
      EXPECT_EQ(found.pixels.average_precision().value, expected.average_precision().value);
      EXPECT_EQ(found.pixels.f1_max().value, expected.f1_max().value) << "seed " << seed;
      if (expected.n_anomalous() > 0) {
        EXPECT_EQ(found.pixels.f1_max_threshold(), expected.f1_max_threshold());
      }
    }
  }
}

TEST(PixelMeter, ARisingMapChangesNothing) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto pictures = random_pictures(seed, 50);
    auto mapped = pictures;
    for (auto& picture : mapped) {
      for (auto& score : picture.map) score = std::exp(score) * 1e6F;
    }
    const auto before = meter_of(pictures).curves(), after = meter_of(mapped).curves();
    EXPECT_EQ(before.regions.area().value, after.regions.area().value) << "seed " << seed;
    EXPECT_EQ(before.pixels.auroc().value, after.pixels.auroc().value) << "seed " << seed;
  }
}

TEST(PixelMeter, OrderOfImagesIsNothing) {
  auto pictures = random_pictures(4, 1000);
  const auto forward = meter_of(pictures).curves();
  std::ranges::reverse(pictures);
  const auto backward = meter_of(pictures).curves();
  EXPECT_EQ(forward.pixels.auroc().value, backward.pixels.auroc().value);
  EXPECT_NEAR(*forward.regions.area().value, *backward.regions.area().value, 1e-12);
}

TEST(PixelMeter, PerfectAndHopelessMaps) {
  const std::vector<std::uint8_t> mask = {0, 0, 9, 0, 0, 0, 0, 9, 9};
  std::vector<float> map(9);
  std::ranges::transform(mask, map.begin(), [](auto value) { return float(value) - 0.5F; });
  const auto best = meter_of({{3, 3, map, mask}}).curves();
  EXPECT_EQ(best.regions.area().value, 1);
  EXPECT_EQ(best.regions.n_regions(), 2);
  EXPECT_EQ(best.pixels.f1_max().value, 1);
  EXPECT_EQ(best.pixels.f1_max_threshold(), 8.5);
  for (auto& score : map) score = -score;
  const auto worst = meter_of({{3, 3, map, mask}}).curves();
  EXPECT_EQ(worst.regions.area(1).value, 0);
  EXPECT_EQ(worst.pixels.auroc().value, 0);
  // All equal: the curve is the diagonal.
  std::ranges::fill(map, 7.0F);
  EXPECT_NEAR(*meter_of({{3, 3, map, mask}}).curves().regions.area(0.3).value, 0.15, 1e-12);
}

TEST(PixelMeter, ZeroHasNoSign) {
  const auto curves = meter_of({{1, 2, {0.0F, -0.0F}, {0, 255}}}).curves();
  EXPECT_EQ(curves.pixels.auroc().value, 0.5);
}

TEST(PixelMeter, TheSmallestAndTheLargestScoresAreRanked) {
  constexpr auto kLargest = std::numeric_limits<float>::max();
  constexpr auto kSmallest = std::numeric_limits<float>::denorm_min();
  const std::vector<float> rising = {-kLargest, -1, -kSmallest, 0, kSmallest, 1e-30F, 1, kLargest};
  for (std::size_t split = 1; split < rising.size(); ++split) {
    std::vector<std::uint8_t> mask(rising.size(), 0);
    std::fill(mask.begin() + std::ptrdiff_t(split), mask.end(), 1);
    const auto curves = meter_of({{1, std::ssize(rising), rising, mask}}).curves();
    EXPECT_EQ(curves.pixels.auroc().value, 1) << split;
    EXPECT_EQ(curves.pixels.f1_max_threshold(), double{rising[split]});
  }
}

TEST(PixelMeter, SaysWhyThereIsNoNumber) {
  const PixelMeter empty;
  EXPECT_EQ(empty.curves().pixels.auroc().reason, "no anomalous pixels");
  const auto normal = meter_of({{1, 2, {1, 2}, {0, 0}}}).curves();
  EXPECT_EQ(normal.regions.area().reason, "no anomalous regions");
  EXPECT_EQ(normal.regions.area_from_101_points().reason, "no anomalous regions");
  EXPECT_EQ(normal.pixels.f1_max().reason, "no anomalous pixels");
  EXPECT_TRUE(normal.regions.corners().empty());
  const auto full = meter_of({{1, 2, {1, 2}, {1, 1}}}).curves();
  EXPECT_EQ(full.regions.area().reason, "no pixels outside the anomalous regions");
  EXPECT_EQ(full.pixels.auroc().reason, "no normal pixels");
  EXPECT_EQ(full.pixels.average_precision().value, 1);
}

TEST(PixelMeter, RefusesWhatCannotBeMeasured) {
  PixelMeter meter;
  const std::vector<float> map(6, 1);
  const std::vector<std::uint8_t> mask(6, 1), short_mask(5, 1);
  EXPECT_EQ(error_of([&] { meter.add(map, mask, 2, 4); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { meter.add(map, short_mask, 1, 5); }).code(),
            ErrorCode::kInvalidArgument);
  for (const auto bad :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    auto broken = map;
    broken[4] = bad;
    const auto error = error_of([&] { meter.add(broken, mask, 2, 3); });
    EXPECT_EQ(error.code(), ErrorCode::kNumeric);
    EXPECT_THAT(error.what(), HasSubstr("pixel 4 is"));
    EXPECT_EQ(error_of([&] { meter.add_channels(broken, {}); }).code(), ErrorCode::kNumeric);
  }
  const std::vector<DefectChannel> wrong_size = {{.mask = short_mask}};
  EXPECT_EQ(error_of([&] { meter.add_channels(map, wrong_size); }).code(),
            ErrorCode::kInvalidArgument);
  const std::vector<DefectChannel> no_saturation = {{.mask = mask, .saturation = 0}};
  EXPECT_EQ(error_of([&] { meter.add_channels(map, no_saturation); }).code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(meter.n_pixels(), 0);
  const auto regions = meter.curves().regions;
  EXPECT_EQ(error_of([&] { regions.area(0); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { regions.area(1.1); }).code(), ErrorCode::kInvalidArgument);
}

/// Smooth noise with a bump on each defect: scores as maps have them.
std::vector<Picture> many_pixels(std::uint64_t seed, int n_pictures) {
  Rng rng(seed, "many pixels");
  std::vector<Picture> pictures;
  for (int index = 0; index < n_pictures; ++index) {
    Picture picture{64, 64, {}, {}};
    for (std::int64_t pixel = 0; pixel < 64 * 64; ++pixel) {
      const auto y = pixel / 64, x = pixel % 64;
      const bool is_defect = index % 2 == 1 && y > 10 && y < 14 + index && x % 23 < 9;
      picture.mask.push_back(is_defect ? 255 : 0);
      picture.map.push_back(static_cast<float>(std::exp(rng.normal()) + (is_defect ? 1.5 : 0)));
    }
    pictures.push_back(picture);
  }
  return pictures;
}

TEST(PixelMeter, TheHistogramIsNearTheExactNumbers) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const auto pictures = many_pixels(seed, 12);
    const auto exact = meter_of(pictures).curves();
    for (const std::int64_t limit : {0, 5 * 64 * 64}) {  // from the start; after five pictures
      auto meter = meter_of(pictures, {.exact_up_to_pixels = limit});
      const auto binned = meter.curves();
      EXPECT_TRUE(exact.is_exact);
      EXPECT_FALSE(binned.is_exact);
      EXPECT_EQ(binned.pixels.n_anomalous(), exact.pixels.n_anomalous());
      EXPECT_EQ(binned.pixels.n_normal(), exact.pixels.n_normal());
      EXPECT_EQ(binned.regions.n_regions(), exact.regions.n_regions());
      EXPECT_NEAR(*binned.pixels.auroc().value, *exact.pixels.auroc().value, 1e-5);
      EXPECT_NEAR(*binned.pixels.average_precision().value, *exact.pixels.average_precision().value,
                  5e-4);
      EXPECT_NEAR(*binned.pixels.f1_max().value, *exact.pixels.f1_max().value, 5e-4);
      EXPECT_NEAR(*binned.regions.area().value, *exact.regions.area().value, 1e-4);
      EXPECT_NEAR(*binned.regions.area(0.05).value, *exact.regions.area(0.05).value, 5e-4);
    }
  }
}

TEST(PixelMeter, TheHistogramWidensWithoutLosingAScore) {
  for (const auto& row : std::vector<std::vector<float>>{{0, 1, 2, 3, 4, 5, 6, 7},
                                                         {7, 6, 5, 4, 3, 2, 1, 0},
                                                         {0, -0.5F, 5, -20, 1, 300, 3, -3},
                                                         {1e30F, -1e30F, 0, 5e29F, 1, 2, 3, 4},
                                                         {2, 2, 2, 2, 2, 2, 2, 2}}) {
    PixelMeter meter({.exact_up_to_pixels = 0}), reference;
    for (std::size_t pixel = 0; pixel < row.size(); ++pixel) {  // one pixel a picture
      const std::vector<float> map = {row[pixel]};
      const std::vector<std::uint8_t> mask = {static_cast<std::uint8_t>(pixel % 2)};
      meter.add(map, mask, 1, 1);
      reference.add(map, mask, 1, 1);
    }
    const auto found = meter.curves(), expected = reference.curves();
    EXPECT_EQ(found.pixels.n_anomalous(), 4);
    EXPECT_EQ(found.pixels.n_normal(), 4);
    EXPECT_EQ(found.pixels.points().back().true_positives, 4);
    EXPECT_NEAR(found.regions.points().back().overlap, 1, 1e-12);
    if (std::abs(row[0]) < 1e29F) {  // in that row 0 to 4 share a bin
      EXPECT_EQ(found.pixels.auroc().value, expected.pixels.auroc().value);
    }
  }
}

// Two channels that overlap, by hand: scores 0..9; outside are 0, 1, 2, 5.
TEST(PixelMeter, ChannelsSaturate) {
  const std::vector<float> map = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  const std::vector<std::uint8_t> left = {0, 0, 0, 1, 1, 0, 1, 1, 0, 0};
  const std::vector<std::uint8_t> right = {0, 0, 0, 0, 0, 0, 0, 1, 1, 1};
  PixelMeter meter;
  meter.add_channels(
      map, std::vector<DefectChannel>{{.mask = left, .saturation = 3, .is_relative = false},
                                      {.mask = right, .saturation = 0.4, .is_relative = true}});
  const auto curves = meter.curves();
  EXPECT_EQ(curves.pixels.n_anomalous(), 6);
  EXPECT_EQ(curves.pixels.n_normal(), 4);
  ASSERT_EQ(curves.regions.n_regions(), 2);
  // right: int(0.4 * 3) = 1 pixel is enough, found at 9; left: 3 of 4, found at 7, 6 and 4.
  const auto points = curves.regions.points();
  ASSERT_EQ(points.size(), 4);
  EXPECT_EQ(points[0].threshold, 9);
  EXPECT_NEAR(points[0].overlap, 1.0 / 2, 1e-12);
  EXPECT_NEAR(points[1].overlap, 2.0 / 3, 1e-12);
  EXPECT_NEAR(points[2].overlap, 5.0 / 6, 1e-12);
  EXPECT_EQ(points[3].threshold, 4);
  EXPECT_NEAR(points[3].overlap, 1, 1e-12);
  EXPECT_EQ(points[3].false_positives, 1);
  // Overlap 5/6 at no false positive, straight to 1 at a quarter... but the step is upright first:
  // pixel 5 comes before pixel 4, so flat at 5/6 to 1/4, then 1.
  EXPECT_NEAR(*curves.regions.area(1).value, 0.25 * 5 / 6 + 0.75, 1e-12);
}

TEST(PixelMeter, ASaturationNeverExceedsItsDefectNorFallsToNothing) {
  const std::vector<float> map = {1, 2, 3};
  const std::vector<std::uint8_t> mask = {0, 1, 1}, nothing = {0, 0, 0};
  PixelMeter meter;
  meter.add_channels(
      map, std::vector<DefectChannel>{{.mask = mask, .saturation = 100, .is_relative = false},
                                      {.mask = mask, .saturation = 0.1, .is_relative = true},
                                      {.mask = nothing}});
  const auto curves = meter.curves();
  EXPECT_EQ(curves.regions.n_regions(), 2);
  EXPECT_NEAR(curves.regions.points()[0].overlap, 0.75, 1e-12);
  EXPECT_NEAR(curves.regions.points()[1].overlap, 1, 1e-12);
}

TEST(PixelMeter, WithoutSaturationAChannelIsARegion) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const auto pictures = many_pixels(seed, 2);
    PixelMeter channels, regions;
    for (const auto& picture : pictures) {
      regions.add(picture.map, picture.mask, picture.height, picture.width);
      const auto components = label_components(picture.mask, picture.height, picture.width);
      std::vector<std::vector<std::uint8_t>> masks(components.list.size());
      std::vector<DefectChannel> list;
      for (std::size_t index = 0; index < masks.size(); ++index) {
        for (const auto label : components.labels) {
          masks[index].push_back(label == std::int32_t(index) + 1);
        }
        list.push_back({.mask = masks[index]});
      }
      channels.add_channels(picture.map, list);
    }
    EXPECT_NEAR(*channels.curves().regions.area().value, *regions.curves().regions.area().value,
                1e-12)
        << "seed " << seed;
  }
}

}  // namespace
}  // namespace cadenza
