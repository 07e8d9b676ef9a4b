#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "tests/support/error_of.h"
#include <gtest/gtest.h>

#include "cadenza/base/rng.h"
#include "cadenza/structure/felzenszwalb.h"
#include "cadenza/structure/slic.h"
#include "cadenza/structure/smooth.h"

namespace cadenza {
namespace {

/// Smooth waves with no two equal neighbours: what ../../bench/structure_parity.py draws as well.
Image waves(std::int64_t height, std::int64_t width, std::int64_t n_channels) {
  Image image{height, width, n_channels, {}};
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      for (std::int64_t c = 0; c < n_channels; ++c) {
        const double wave = std::sin(0.13 * double(y) + 0.07 * double(c)) +
                            std::cos(0.11 * double(x) - 0.05 * double(c * y % 17));
        image.pixels.push_back(static_cast<std::uint8_t>(std::lround(127.5 + 60 * wave)));
      }
    }
  }
  return image;
}

Image halves() {
  Image image{40, 60, 1, std::vector<std::uint8_t>(40 * 60, 50)};
  for (std::int64_t y = 0; y < 40; ++y) {
    for (std::int64_t x = 30; x < 60; ++x) image.pixels[std::size_t(y * 60 + x)] = 200;
  }
  return image;
}

std::size_t region_count(const RegionMap& regions) {
  return std::set<std::int32_t>(regions.ids.begin(), regions.ids.end()).size();
}

/// Whether each region is one 8-connected piece.
bool is_connected(const RegionMap& regions) {
  std::vector<char> is_seen(regions.ids.size());
  std::set<std::int32_t> done;
  for (std::size_t start = 0; start < regions.ids.size(); ++start) {
    if (is_seen[start]) continue;
    if (!done.insert(regions.ids[start]).second) return false;
    std::vector<std::size_t> open{start};
    is_seen[start] = 1;
    while (!open.empty()) {
      const auto pixel = std::int64_t(open.back());
      open.pop_back();
      for (std::int64_t dy = -1; dy <= 1; ++dy) {
        for (std::int64_t dx = -1; dx <= 1; ++dx) {
          const auto y = pixel / regions.width_px + dy, x = pixel % regions.width_px + dx;
          if (y < 0 || x < 0 || y >= regions.height_px || x >= regions.width_px) continue;
          const auto next = std::size_t(y * regions.width_px + x);
          if (is_seen[next] || regions.ids[next] != regions.ids[start]) continue;
          is_seen[next] = 1;
          open.push_back(next);
        }
      }
    }
  }
  return true;
}

TEST(Smooth, KeepsTheMeanAndSpreadsAnImpulseAsTheGaussianSays) {
  Planes picture{21, 21, 1, std::vector<double>(441, 0)};
  *picture.at(10, 10) = 1;
  const auto smoothed = smooth(picture, 1.5);
  double sum = 0;
  for (const double value : smoothed.values) sum += value;
  EXPECT_NEAR(sum, 1, 1e-12);
  EXPECT_NEAR(*smoothed.at(10, 12) / *smoothed.at(10, 10), std::exp(-0.5 * 4 / 2.25), 1e-12);
}

TEST(Felzenszwalb, SeparatesTwoHalves) {
  const auto regions = felzenszwalb(halves(), {.scale = 100, .sigma = 0, .min_size_px = 20});
  EXPECT_EQ(region_count(regions), 2U);
  EXPECT_NE(regions.at(0, 29), regions.at(0, 30));
  EXPECT_EQ(regions.at(0, 0), 1);
  EXPECT_EQ(regions.at(39, 59), 2);
}

TEST(Felzenszwalb, NoRegionIsSmallerThanTheMinimum) {
  const auto regions = felzenszwalb(waves(64, 80, 3), {});
  for (const auto id : std::set<std::int32_t>(regions.ids.begin(), regions.ids.end())) {
    EXPECT_GE(std::ranges::count(regions.ids, id), 20) << "region " << id;
  }
  EXPECT_TRUE(is_connected(regions));
}

TEST(Slic, GivesAboutTheWantedNumberOfConnectedRegions) {
  const auto regions = slic(waves(96, 120, 3), {.n_segments = 60});
  EXPECT_NEAR(double(region_count(regions)), 60, 20);
  EXPECT_TRUE(is_connected(regions));
  EXPECT_EQ(*std::ranges::min_element(regions.ids), 1);
}

TEST(Slic, AConstantPictureBecomesTheGrid) {
  const Image grey{60, 60, 1, std::vector<std::uint8_t>(3600, 90)};
  const auto regions = slic(grey, {.n_segments = 36});
  EXPECT_EQ(region_count(regions), 36U);
}

TEST(RegionMaps, BadOptionsAreNamed) {
  EXPECT_EQ(error_of([] { slic(halves(), {.n_segments = 0}); }).code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([] { felzenszwalb(halves(), {.scale = -1}); }).code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([] { felzenszwalb(Image{}, {}); }).code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cadenza
