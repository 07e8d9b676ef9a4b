// Vector D of the ucad specification, section 7.2: metrics as the authors' program computes them.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "cadenza/metric/pixel_meter.h"
#include "cadenza/metric/score_curve.h"
#include "cadenza/metric/score_history.h"

namespace cadenza {
namespace {

constexpr std::size_t kSide = 224, kPixels = kSide * kSide;

/// u(seed, i) of section 7.2.
float uniform(std::uint64_t seed, std::uint64_t index) {
  std::uint64_t z = (seed << 32) + index + 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  z ^= z >> 31;
  return static_cast<float>(static_cast<double>(z >> 40) * 0x1p-23 - 1);
}

std::vector<float> fill(std::uint64_t seed, std::size_t n) {
  std::vector<float> values(n);
  for (std::size_t index = 0; index < n; ++index) values[index] = uniform(seed, index);
  return values;
}

void spread_to_unit(std::span<float> values) {
  const auto [low, high] = std::ranges::minmax(values);
  for (auto& value : values) value = (value - low) / (high - low);
}

/// Calls `change` for every pixel of [y0, y1) x [x0, x1) of one image.
template <class Value, class Change>
void in_box(std::vector<Value>& images, std::size_t image, std::size_t y0, std::size_t y1,
            std::size_t x0, std::size_t x1, const Change& change) {
  for (auto y = y0; y < y1; ++y) {
    for (auto x = x0; x < x1; ++x) change(images[image * kPixels + y * kSide + x]);
  }
}

/// Four maps of 224x224.
std::vector<float> vector_maps() {
  auto maps = fill(20, 4 * kPixels);
  for (auto& value : maps) value = std::nearbyint(value * 64) / 64;
  in_box(maps, 0, 20, 60, 30, 80, [](float& value) { value += 0.5F; });
  in_box(maps, 1, 100, 120, 100, 120, [](float& value) { value += 0.25F; });
  spread_to_unit(maps);
  return maps;
}

/// Their masks after the resize: soft borders are between 0 and 255.
std::vector<std::uint8_t> vector_masks() {
  std::vector<std::uint8_t> masks(4 * kPixels, 0);
  const auto set = [](std::uint8_t to) { return [to](std::uint8_t& value) { value = to; }; };
  in_box(masks, 0, 20, 60, 30, 80, set(255));
  in_box(masks, 0, 60, 61, 30, 80, set(128));
  in_box(masks, 1, 100, 110, 100, 110, set(255));
  in_box(masks, 1, 110, 120, 110, 120, set(255));
  in_box(masks, 2, 5, 9, 5, 9, set(200));
  return masks;
}

PixelCurves measure(std::size_t n_images, MaskTruth truth) {
  const auto maps = vector_maps();
  const auto masks = vector_masks();
  PixelMeter meter({.truth = truth});
  for (std::size_t image = 0; image < n_images; ++image) {
    meter.add(std::span(maps).subspan(image * kPixels, kPixels),
              std::span(masks).subspan(image * kPixels, kPixels), kSide, kSide);
  }
  return meter.curves();
}

TEST(D, TheGeneratorIsThatOfTheVectors) {
  EXPECT_FLOAT_EQ(uniform(1, 0), 0.5326035F);
  EXPECT_FLOAT_EQ(uniform(1, 1), -0.7479380F);
  EXPECT_FLOAT_EQ(uniform(1, 2), 0.4018624F);
  EXPECT_FLOAT_EQ(uniform(1, 3), 0.2657524F);
}

// The published digits are double precision; the order of summation is ours: 1e-12.
TEST(D, PixelsWithTruncatedTruth) {
  const auto curves = measure(4, MaskTruth::kFull);
  EXPECT_EQ(curves.pixels.n_anomalous(), 2200);
  EXPECT_NEAR(curves.pixels.average_precision().value.value(), 0.24973847844221642, 1e-12);
  EXPECT_NEAR(curves.pixels.auroc().value.value(), 0.6981969495462422, 1e-12);
  EXPECT_EQ(measure(4, MaskTruth::kAboveZero).pixels.n_anomalous(), 2266);
}

TEST(D, AnomalousImagesAlone) {
  EXPECT_NEAR(measure(3, MaskTruth::kFull).pixels.auroc().value.value(), 0.697936203119867, 1e-12);
}

TEST(D, ProFrom101Points) {
  const auto regions = measure(4, MaskTruth::kFull).regions;
  EXPECT_EQ(regions.n_regions(), 3);
  EXPECT_NEAR(regions.area_from_101_points().value.value(), 0.2214019575747833, 1e-12);
}

/// Every third of 30 images is anomalous and scores 0.4 higher.
struct Images {
  std::vector<std::uint8_t> labels;
  std::vector<float> scores;
};
Images images(std::uint64_t seed, std::size_t n_epochs) {
  Images result{{}, fill(seed, 30 * n_epochs)};
  for (std::size_t index = 0; index < 30 * n_epochs; ++index) {
    if (index % 30 % 3 == 0) result.scores[index] += 0.4F;
    if (index < 30) result.labels.push_back(index % 3 == 0);
  }
  return result;
}

ScoreCurve curve_of(std::span<const float> scores, const std::vector<std::uint8_t>& labels) {
  return ScoreCurve::of(std::vector<double>(scores.begin(), scores.end()), labels);
}

TEST(D, ImageScores) {
  const auto [labels, scores] = images(21, 1);
  const auto curve = curve_of(scores, labels);
  EXPECT_NEAR(curve.auroc().value.value(), 0.59, 1e-12);
  EXPECT_NEAR(curve.average_precision().value.value(), 0.5349747474747475, 1e-12);
}

TEST(D, EpochsAloneAndTogether) {
  const auto [labels, scores] = images(22, 3);
  const std::array<double, 3> alone = {0.73, 0.735, 0.80}, together = {0.73, 0.805, 0.87};
  ScoreHistory history;
  for (std::size_t epoch = 0; epoch < 3; ++epoch) {
    const auto row = std::span(scores).subspan(epoch * 30, 30);
    EXPECT_NEAR(curve_of(row, labels).auroc().value.value(), alone[epoch], 1e-12);
    history.add(row);
    EXPECT_NEAR(curve_of(history.mean(), labels).auroc().value.value(), together[epoch], 1e-12);
  }
}

}  // namespace
}  // namespace cadenza
