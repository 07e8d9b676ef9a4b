#include "cadenza/report/overlay.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "tests/support/error_of.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/base/file.h"
#include "cadenza/base/rng.h"
#include "cadenza/image/encode.h"
#include "cadenza/report/legend_font.h"

namespace cadenza {
namespace {

using testing::HasSubstr;

constexpr OverlayScale kScale = {.calm = 1, .threshold = 2, .full = 4};

Image grey(std::int64_t height, std::int64_t width, std::int64_t n_channels = 1) {
  Image image{height, width, n_channels, {}};
  for (std::int64_t k = 0; k < height * width * n_channels; ++k) {
    image.pixels.push_back(static_cast<std::uint8_t>(60 + k * 37 % 120));
  }
  return image;
}

TEST(DrawOverlay, AGoodPartLooksLikeItsPhotograph) {
  for (const std::int64_t n_channels : {1, 3}) {
    const auto picture = grey(40, 120, n_channels);
    const std::vector<float> map(40 * 120, 1);  // at the calm level
    const auto overlay = draw_overlay(picture, map, kScale);
    ASSERT_EQ(overlay.n_channels, 3);
    ASSERT_EQ(overlay.width_px, 120);
    for (std::int64_t y = 0; y < 40; ++y) {
      for (std::int64_t x = 0; x < 120; ++x) {
        for (std::int64_t channel = 0; channel < 3; ++channel) {
          ASSERT_EQ(overlay.at(y, x, channel), picture.at(y, x, n_channels == 1 ? 0 : channel));
        }
      }
    }
  }
}

/// How far a pixel was moved from the photograph's.
int moved(const Image& picture, const Image& overlay, std::int64_t y, std::int64_t x) {
  int sum = 0;
  for (std::int64_t channel = 0; channel < 3; ++channel) {
    sum += std::abs(int(overlay.at(y, x, channel)) - int(picture.at(y, x, channel)));
  }
  return sum;
}

TEST(DrawOverlay, PaintGrowsWithTheValueAndEndsWhenFull) {
  Image picture{1, 60, 3, std::vector<std::uint8_t>(180, 128)};
  std::vector<float> map;
  for (int x = 0; x < 60; ++x) map.push_back(0.1F * static_cast<float>(x));
  const auto overlay = draw_overlay(picture, map, kScale);
  EXPECT_EQ(moved(picture, overlay, 0, 9), 0);
  EXPECT_GT(moved(picture, overlay, 0, 12), 0);
  EXPECT_LT(moved(picture, overlay, 0, 12), moved(picture, overlay, 0, 18));
  EXPECT_LT(moved(picture, overlay, 0, 18), moved(picture, overlay, 0, 30));
  for (std::int64_t channel = 0; channel < 3; ++channel) {
    EXPECT_EQ(overlay.at(0, 41, channel), overlay.at(0, 55, channel));
  }
}

TEST(DrawOverlay, TheSameValueHasTheSameColourInEveryImage) {
  const Image picture{10, 10, 3, std::vector<std::uint8_t>(300, 90)};
  std::vector<float> quiet(100, 0), loud(100, 50);
  quiet[55] = loud[55] = 1.7F;  // below the threshold: no outline
  const auto first = draw_overlay(picture, quiet, kScale),
             second = draw_overlay(picture, loud, kScale);
  for (std::int64_t channel = 0; channel < 3; ++channel) {
    EXPECT_EQ(first.at(5, 5, channel), second.at(5, 5, channel));
  }
}

TEST(DrawOverlay, OutlinesWhatExceedsTheThreshold) {
  const Image picture{30, 30, 3, std::vector<std::uint8_t>(2700, 128)};
  std::vector<float> map(900, 0);
  for (int y = 10; y < 20; ++y) {
    for (int x = 10; x < 20; ++x) map[std::size_t(y * 30 + x)] = 2.01F;
  }
  const auto overlay = draw_overlay(picture, map, kScale);
  EXPECT_GT(moved(picture, overlay, 10, 15), 2 * moved(picture, overlay, 15, 15));
  EXPECT_EQ(moved(picture, overlay, 9, 15), 0);
  EXPECT_GT(moved(picture, overlay, 15, 15), 0);
}

TEST(DrawOverlay, TheEdgeOfThePictureIsNoOutline) {
  const Image picture{20, 20, 3, std::vector<std::uint8_t>(1200, 128)};
  const auto overlay = draw_overlay(picture, std::vector<float>(400, 3), kScale);
  for (std::int64_t channel = 0; channel < 3; ++channel) {
    EXPECT_EQ(overlay.at(0, 0, channel), overlay.at(10, 10, channel));
  }
}

TEST(DrawOverlay, TheLegendStandsBelowThePictureWhereThereIsRoom) {
  const auto with = [](std::int64_t width, bool has_legend) {
    return draw_overlay(grey(30, width), std::vector<float>(std::size_t(30 * width), 0), kScale,
                        {.has_legend = has_legend});
  };
  EXPECT_EQ(with(kLegendMinWidthPx - 1, true).height_px, 30);
  EXPECT_EQ(with(300, false).height_px, 30);
  for (const std::int64_t width : {kLegendMinWidthPx, std::int64_t{300}, std::int64_t{4000}}) {
    const auto overlay = with(width, true);
    EXPECT_GT(overlay.height_px, 30) << width;
    int n_bright = 0;
    for (auto y = overlay.height_px / 2 + 15; y < overlay.height_px; ++y) {
      for (std::int64_t x = 0; x < width; ++x) n_bright += overlay.at(y, x, 2) == 240;
    }
    EXPECT_GT(n_bright, 10) << width;  // the threshold's number
  }
}

TEST(DrawOverlay, RefusesWhatDoesNotFit) {
  const auto picture = grey(10, 10);
  const std::vector<float> map(100, 0);
  const auto error = error_of([&] { draw_overlay(picture, std::vector<float>(99, 0), kScale); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("10 x 10"));
  for (const auto& scale : {OverlayScale{2, 2, 3}, OverlayScale{1, 2, 2}, OverlayScale{3, 2, 1}}) {
    EXPECT_EQ(error_of([&] { draw_overlay(picture, map, scale); }).code(),
              ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(error_of([&] { draw_mask(map, 10, 11, 0); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { draw_mask({}, 0, 0, 0); }).code(), ErrorCode::kInvalidArgument);
}

TEST(OverlayScale, RisesForEveryThreshold) {
  for (const double threshold : {-3.0, -1e-9, 0.0, 1e-9, 2.5, 1e9}) {
    const auto scale = OverlayScale::around(threshold);
    EXPECT_LT(scale.calm, scale.threshold);
    EXPECT_LT(scale.threshold, scale.full);
    EXPECT_EQ(scale.threshold, threshold);
  }
}

TEST(DrawMask, IsWhatExceedsTheThreshold) {
  const auto mask = draw_mask(std::vector<float>{1, 2, 3, 4, 5, 6}, 2, 3, 3);
  EXPECT_EQ(mask.pixels, (std::vector<std::uint8_t>{0, 0, 0, 255, 255, 255}));
}

TEST(LegendFont, DrawsTheDotsAndCutsWhatIsOutside) {
  Image image{9, 12, 3, std::vector<std::uint8_t>(9 * 12 * 3, 0)};
  draw_text(image, "l", 1, 1, 1, 200);  // an l: its stem is the third column
  for (std::int64_t y = 1; y < 8; ++y) EXPECT_EQ(image.at(y, 3, 0), 200) << y;
  EXPECT_EQ(image.at(1, 1, 0), 0);
  EXPECT_EQ(text_width_px("12", 3), 33);
  EXPECT_EQ(text_width_px("", 3), 0);
  draw_text(image, "888\xC3?", -4, -3, 5, 1);
  draw_text(image, "8", 100, 100, 5, 1);
}

}  // namespace
}  // namespace cadenza
