// golden.dne.TV-10: saturated per-region overlap (specs/dne_cl.md 3.4 and 8).

#include <array>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "cadenza/metric/pixel_meter.h"

namespace cadenza {
namespace {

constexpr std::int64_t kHeight = 40, kWidth = 50;

/// Half-open columns [x0, x1) and rows [y0, y1).
struct Box {
  std::int64_t x0, y0, x1, y1;
  bool holds(std::int64_t y, std::int64_t x) const {
    return y0 <= y && y < y1 && x0 <= x && x < x1;
  }
};

template <class Value, class At>
std::vector<Value> draw(const At& at) {
  std::vector<Value> pixels;
  for (std::int64_t y = 0; y < kHeight; ++y) {
    for (std::int64_t x = 0; x < kWidth; ++x) pixels.push_back(static_cast<Value>(at(y, x)));
  }
  return pixels;
}

std::vector<float> map_of(std::int64_t k, double raised_by, const Box& box) {
  return draw<float>([&](auto y, auto x) {
    const auto residue = (7 * x + 11 * y + 13 * k + x * y) % 997;
    return static_cast<double>(residue) / 997 + (box.holds(y, x) ? raised_by : 0);
  });
}

std::vector<std::uint8_t> mask_of(const Box& box) {
  return draw<std::uint8_t>([&](auto y, auto x) { return box.holds(y, x) ? 255 : 0; });
}

struct Subsets {
  PixelMeter logical, structural;  ///< each with the good image

  Subsets() {
    const auto good = map_of(2, 0, {});
    logical.add_channels(good, {});
    structural.add_channels(good, {});
    const auto first = mask_of({5, 5, 15, 15}), second = mask_of({12, 8, 25, 12});
    logical.add_channels(
        map_of(0, 0.9, {5, 5, 20, 15}),
        std::vector<DefectChannel>{{.mask = first, .saturation = 20, .is_relative = false},
                                   {.mask = second, .saturation = 0.5, .is_relative = true}});
    const auto third = mask_of({30, 20, 42, 30});
    structural.add_channels(
        map_of(1, 0.8, {30, 20, 40, 30}),
        std::vector<DefectChannel>{{.mask = third, .saturation = 1, .is_relative = true}});
  }
};

constexpr std::array<double, 5> kLimits = {0.01, 0.05, 0.1, 0.3, 1};

// Nine published digits; float32 maps as the official code reads them.
TEST(TV_10, ExactAreas) {
  const Subsets subsets;
  const std::array<double, 5> logical = {.611548426, .922309685, .961154843, .987051614,
                                         .996115484};
  const std::array<double, 5> structural = {.717697595, .749012027, .778715636, .832828608,
                                            .930883806};
  for (std::size_t index = 0; index < kLimits.size(); ++index) {
    const auto area = [&](const PixelMeter& meter) {
      return meter.curves().regions.area(kLimits[index]).value.value();
    };
    EXPECT_NEAR(area(subsets.logical), logical[index], 1e-9) << kLimits[index];
    EXPECT_NEAR(area(subsets.structural), structural[index], 1e-9) << kLimits[index];
  }
}

TEST(TV_10, OverlapAtOneThreshold) {
  const Subsets subsets;
  const auto overlap_above = [](const PixelMeter& meter) {
    double overlap = 0;
    const auto regions = meter.curves().regions;
    for (const auto& point : regions.points()) {
      if (point.threshold > 0.9) overlap = point.overlap;
    }
    return overlap;
  };
  EXPECT_NEAR(overlap_above(subsets.logical), 1, 1e-9);
  EXPECT_NEAR(overlap_above(subsets.structural), 0.808333333, 1e-9);
}

TEST(TV_10, TheMapsAreThoseOfTheVector) {
  const auto count = [](const std::vector<float>& map, const std::vector<Box>& defects) {
    int n_false = 0;
    for (std::int64_t y = 0; y < kHeight; ++y) {
      for (std::int64_t x = 0; x < kWidth; ++x) {
        bool is_outside = true;
        for (const auto& box : defects) is_outside &= !box.holds(y, x);
        n_false += is_outside && map[std::size_t(y * kWidth + x)] > 0.9F;
      }
    }
    return n_false;
  };
  EXPECT_EQ(count(map_of(0, 0.9, {5, 5, 20, 15}), {{5, 5, 15, 15}, {12, 8, 25, 12}}), 165);
  EXPECT_EQ(count(map_of(1, 0.8, {30, 20, 40, 30}), {{30, 20, 42, 30}}), 136);
  EXPECT_EQ(count(map_of(2, 0, {}), {}), 134);
}

}  // namespace
}  // namespace cadenza
