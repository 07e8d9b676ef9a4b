#include "cadenza/image/cutpaste.h"

#include <numeric>

#include "tests/support/error_of.h"
#include <gtest/gtest.h>

#include "cadenza/image/pillow_colour.h"
#include "cadenza/image/pillow_rotate.h"

namespace cadenza {
namespace {

Image striped(std::int64_t height_px, std::int64_t width_px) {
  Image image{.height_px = height_px, .width_px = width_px, .n_channels = 3};
  for (std::int64_t at = 0; at < height_px * width_px * 3; ++at) {
    image.pixels.push_back(static_cast<std::uint8_t>(40 + (at * at * 7 + at / 96 * 31) % 190));
  }
  return image;
}

std::int64_t n_different(const Image& left, const Image& right) {
  std::int64_t n = 0;
  for (std::size_t at = 0; at < left.pixels.size(); ++at) n += left.pixels[at] != right.pixels[at];
  return n;
}

TEST(Adjust, FactorOneAndNoShiftKeepThePicture) {
  const auto image = striped(16, 16);
  EXPECT_EQ(n_different(image, adjust_brightness(image, 1)), 0);
  EXPECT_EQ(n_different(image, adjust_contrast(image, 1)), 0);
  EXPECT_EQ(n_different(image, adjust_saturation(image, 1)), 0);
}

TEST(Adjust, BrightnessByHand) {
  const Image image{.height_px = 1, .width_px = 1, .n_channels = 3, .pixels = {100, 250, 3}};
  const auto brighter = adjust_brightness(image, 1.1);
  EXPECT_EQ(brighter.pixels, (std::vector<std::uint8_t>{110, 255, 3}));  // 3.3 is cut off
}

TEST(Adjust, RefusesGreyPicturesAndLargeShifts) {
  const Image grey{.height_px = 1, .width_px = 1, .n_channels = 1, .pixels = {1}};
  EXPECT_EQ(error_of([&] { adjust_hue(grey, 0); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { adjust_hue(striped(1, 1), 0.6); }).code(), ErrorCode::kInvalidArgument);
}

TEST(Rotate, FourQuartersAreTheIdentityAlsoWithoutASquare) {
  const auto image = striped(9, 14);
  auto turned = image;
  for (int quarter = 0; quarter < 4; ++quarter) turned = rotate_pillow_expanded(turned, 90);
  EXPECT_EQ(n_different(image, turned), 0);
  EXPECT_EQ(rotate_pillow_expanded(image, 90).width_px, 9);
  EXPECT_EQ(n_different(rotate_pillow(rotate_pillow(image, 180), 180), image), 0);
}

TEST(Rotate, ExpandedHoldsEveryPixelOfTheArea) {
  // Turned by 45 degrees, a square of side s needs s * sqrt(2).
  const auto turned = rotate_pillow_expanded(striped(20, 20), 45);
  EXPECT_EQ(turned.width_px, 30);  // ceil and floor of 10 +- 14.14
  std::int64_t n_inside = 0;
  for (std::int64_t y = 0; y < turned.height_px; ++y) {
    for (std::int64_t x = 0; x < turned.width_px; ++x) n_inside += turned.at(y, x, 0) != 0;
  }
  EXPECT_NEAR(double(n_inside), 400, 20);
}

TEST(Paste, CutsOffWhatLiesOutsideAndHeedsTheMask) {
  Image image{.height_px = 2, .width_px = 2, .n_channels = 1, .pixels = {0, 0, 0, 0}};
  const Image patch{.height_px = 2, .width_px = 2, .n_channels = 1, .pixels = {1, 2, 3, 4}};
  paste(image, patch, -1, 1);
  EXPECT_EQ(image.pixels, (std::vector<std::uint8_t>{0, 3, 0, 0}));
  const Image mask{.height_px = 2, .width_px = 2, .n_channels = 1, .pixels = {0, 9, 9, 0}};
  paste(image, patch, 0, 0, &mask);
  EXPECT_EQ(image.pixels, (std::vector<std::uint8_t>{0, 2, 3, 0}));
  EXPECT_EQ(error_of([&] { paste(image, striped(1, 1), 0, 0); }).code(),
            ErrorCode::kInvalidArgument);
}

TEST(CutPaste, DependsOnTheSeedAloneAndKeepsTheSize) {
  const auto image = striped(48, 48);
  for (const auto make : {cutpaste, cutpaste_scar}) {
    Rng first(3, "test"), again(3, "test"), other(4, "test");
    const auto twins = make(image, first);
    EXPECT_EQ(n_different(twins.broken, make(image, again).broken), 0);
    EXPECT_GT(n_different(twins.broken, make(image, other).broken), 0);
    EXPECT_EQ(twins.normal.width_px, 48);
    EXPECT_EQ(twins.broken.height_px, 48);
    EXPECT_GT(n_different(twins.normal, twins.broken), 0);
  }
}

TEST(CutPaste, ManyDrawsNeverLeaveThePicture) {
  const auto image = striped(32, 32);
  Rng rng(1, "many");
  for (int draw = 0; draw < 300; ++draw) {
    EXPECT_EQ(cutpaste(image, rng).broken.pixels.size(), image.pixels.size());
    EXPECT_EQ(cutpaste_scar(image, rng).broken.pixels.size(), image.pixels.size());
  }
}

TEST(HideCells, AQuarterOfTheCells) {
  Rng rng(1, "cells");
  const auto hidden = hide_cells(224, 224, rng);
  EXPECT_EQ(std::ssize(hidden.cells), 14 * 112 / 4);
  EXPECT_LT(hidden.cells.back(), 14 * 112);
}

}  // namespace
}  // namespace cadenza
