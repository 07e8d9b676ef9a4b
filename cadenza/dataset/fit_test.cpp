#include "cadenza/dataset/fit.h"

#include <cmath>
#include <utility>

#include "tests/support/error_of.h"
#include "tests/support/random_tensor.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cadenza/dataset/preprocess.h"

namespace cadenza {
namespace {

InputSpec plain_input(Fit fit, Resampler resampler, std::int64_t side_px) {
  return {.height_px = side_px,
          .width_px = side_px,
          .mean = {0, 0, 0},
          .stddev = {1, 1, 1},
          .fit = fit,
          .resampler = resampler};
}

struct Point {
  double y, x;
};

/// Of the values above half the largest: what a resampler rings or spreads does not count.
Point centroid(const FloatPlane& plane) {
  float largest = 0;
  for (const float value : plane.values) largest = std::max(largest, value);
  double sum = 0, y_sum = 0, x_sum = 0;
  for (std::int64_t y = 0; y < plane.height_px; ++y) {
    for (std::int64_t x = 0; x < plane.width_px; ++x) {
      const double value = plane.values[std::size_t(y * plane.width_px + x)];
      if (value < largest / 2) continue;
      sum += value, y_sum += value * double(y), x_sum += value * double(x);
    }
  }
  return {y_sum / sum, x_sum / sum};
}

TEST(MapToImage, OneBrightPixelComesBackToItsPlace) {
  for (const auto fit : {Fit::kSquash, Fit::kShortSideCrop}) {
    for (const auto resampler : {Resampler::kTriangleFloat, Resampler::kPillowBilinear,
                                 Resampler::kPillowBicubic, Resampler::kOpenCvLinear}) {
      for (const auto& [height, width] :
           {std::pair<std::int64_t, std::int64_t>{40, 40}, {40, 61}, {57, 40}}) {
        for (const auto& [y, x] : {std::pair<std::int64_t, std::int64_t>{20, 20}, {25, 22}}) {
          Image image{height, width, 1, {}};
          image.pixels.resize(std::size_t(height * width));
          image.pixels[std::size_t(y * width + x)] = 255;
          const auto input = plain_input(fit, resampler, 160);
          const auto back = map_to_image(prepare(image, input)[0], input, height, width);
          EXPECT_EQ(back.height_px, height);
          const auto centre = centroid(back);
          EXPECT_NEAR(centre.y, double(y), 0.25) << height << "x" << width << " " << int(resampler);
          EXPECT_NEAR(centre.x, double(x), 0.25) << height << "x" << width << " " << int(resampler);
        }
      }
    }
  }
}

TEST(MapToImage, ASpotOfALargePictureComesBackToItsPlace) {
  for (const auto fit : {Fit::kSquash, Fit::kShortSideCrop}) {
    for (const auto resampler : {Resampler::kTriangleFloat, Resampler::kPillowBilinear,
                                 Resampler::kPillowBicubic, Resampler::kOpenCvLinear}) {
      Image image{300, 411, 3, {}};
      image.pixels.resize(300 * 411 * 3);
      for (std::int64_t y = 171; y < 192; ++y) {  // centre 181, 151
        for (std::int64_t x = 141; x < 162; ++x) image.pixels[std::size_t(3 * (y * 411 + x))] = 200;
      }
      const auto input = plain_input(fit, resampler, 64);
      const auto centre = centroid(map_to_image(prepare(image, input)[0], input, 300, 411));
      EXPECT_NEAR(centre.y, 181, 1) << int(resampler);
      EXPECT_NEAR(centre.x, 151, 1) << int(resampler);
    }
  }
}

TEST(MapToImage, ASquashedMapIsTheBilinearOne) {
  const at::Tensor map = random_tensor({9, 13}, 3);
  const auto input = plain_input(Fit::kSquash, Resampler::kTriangleFloat, 64);
  const float* const values = map.const_data_ptr<float>();
  const auto expected = resize_bilinear({9, 13, {values, values + map.numel()}}, 50, 77);
  const auto got = map_to_image(map, input, 50, 77);
  for (std::size_t at = 0; at < got.values.size(); ++at) {
    ASSERT_NEAR(got.values[at], expected.values[at], 1e-5);
  }
}

TEST(MapToImage, WhatTheCropCutOffGetsTheLowestValue) {
  // 100x200 to a short side of 50 is 50x100; columns 25..74 of that are seen: 50..149 of 200.
  const auto input = plain_input(Fit::kShortSideCrop, Resampler::kTriangleFloat, 50);
  at::Tensor map = at::full({5, 5}, 3.F);
  map[2][2] = -1;
  const auto back = map_to_image(map, input, 100, 200);
  for (std::int64_t x = 0; x < 200; ++x) {
    EXPECT_EQ(back.values[std::size_t(x)], x >= 50 && x < 150 ? 3 : -1) << x;
  }
}

TEST(FittedWindow, RefusesWhatHasNoRectangle) {
  auto input = plain_input(Fit::kTiles, Resampler::kTriangleFloat, 64);
  EXPECT_EQ(error_of([&] { fitted_window(input, 10, 10); }).code(), ErrorCode::kUnsupported);
  input.fit = Fit::kShortSideCrop;
  input.width_px = 32;
  const auto error = error_of([&] { fitted_window(input, 10, 10); });
  EXPECT_STREQ(error.what(), "InputSpec: kShortSideCrop needs a square, got 32x64 px");
  input = plain_input(Fit::kSquash, Resampler::kTriangleFloat, 0);
  EXPECT_EQ(error_of([&] { fitted_window(input, 10, 10); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { fitted_window({}, 0, 10); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { map_to_image(at::zeros({3}), {}, 9, 9); }).code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { map_to_image(at::zeros({0, 3}), {}, 9, 9); }).code(),
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cadenza
