#include "cadenza/image/resize.h"

#include <cmath>

#include "tests/support/error_of.h"
#include <gtest/gtest.h>

#include "cadenza/base/rng.h"

namespace cadenza {
namespace {

Image noise(std::int64_t height, std::int64_t width, std::int64_t n_channels) {
  Rng rng(5, "noise");
  Image image{height, width, n_channels, {}};
  for (std::int64_t at = 0; at < height * width * n_channels; ++at) {
    image.pixels.push_back(static_cast<std::uint8_t>(rng.below(256)));
  }
  return image;
}

/// The triangle filter over the whole input, from its definition.
double triangle_by_definition(const Image& image, std::int64_t height, std::int64_t width,
                              std::int64_t y, std::int64_t x, std::int64_t channel) {
  const auto weight = [](std::int64_t at, std::int64_t out, std::int64_t n_in, std::int64_t n_out) {
    const double scale = double(n_in) / double(n_out), stretch = std::max(scale, 1.);
    const double centre = (double(out) + 0.5) * scale;
    return std::max(0., 1 - std::abs((double(at) + 0.5 - centre) / stretch));
  };
  double sum = 0, weights = 0;
  for (std::int64_t row = 0; row < image.height_px; ++row) {
    for (std::int64_t column = 0; column < image.width_px; ++column) {
      const double both =
          weight(row, y, image.height_px, height) * weight(column, x, image.width_px, width);
      sum += both * image.at(row, column, channel);
      weights += both;
    }
  }
  return sum / weights;
}

TEST(ResizeTriangle, EqualsItsDefinitionShrinkingAndGrowing) {
  for (const auto& [height, width] : {std::pair{7, 9}, {40, 33}, {16, 50}}) {
    const Image image = noise(23, 31, 3);
    std::vector<float> out(std::size_t(3 * height * width));
    resize_triangle(image, height, width, {}, out);
    for (const auto& [y, x] : {std::pair{0, 0}, {height - 1, width - 1}, {height / 2, width / 3}}) {
      for (int c = 0; c < 3; ++c) {
        EXPECT_NEAR(out[std::size_t((c * height + y) * width + x)],
                    triangle_by_definition(image, height, width, y, x, c), 1e-3);
      }
    }
  }
}

TEST(ResizeTriangle, GreyIsRepeatedAndNormalised) {
  Image grey{10, 10, 1, std::vector<std::uint8_t>(100, 191)};
  std::vector<float> out(3 * 4 * 4);
  resize_triangle(grey, 4, 4,
                  {.mean = {127.F / 255, 127.F / 255, 127.F / 255},
                   .stddev = {128.F / 255, 128.F / 255, 128.F / 255}},
                  out);
  for (const float value : out) EXPECT_NEAR(value, 0.5, 1e-5);
}

TEST(ResizeBilinear, ASinglePixelKeepsItsPlaceAndConstantsStay) {
  FloatPlane plane{4, 4, std::vector<float>(16, 0)};
  plane.values[5] = 1;
  const auto large = resize_bilinear(plane, 64, 64);
  double weight = 0, row = 0;
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) {
      weight += large.values[std::size_t(y * 64 + x)];
      row += (y + 0.5) * large.values[std::size_t(y * 64 + x)];
    }
  }
  EXPECT_NEAR(row / weight, 1.5 * 16, 1e-4);
  for (const float value : resize_bilinear({2, 3, std::vector<float>(6, 7)}, 11, 5).values) {
    EXPECT_EQ(value, 7);
  }
}

TEST(ResizeArea, IsTheMeanOfTheCoveredArea) {
  FloatPlane plane{4, 6, {}};
  for (int at = 0; at < 24; ++at) plane.values.push_back(float(at * at));
  const auto half = resize_area(plane, 2, 3);
  EXPECT_NEAR(half.values[0], (0 + 1 + 36 + 49) / 4., 1e-4);
  EXPECT_NEAR(half.values[5], (16 * 16 + 17 * 17 + 22 * 22 + 23 * 23) / 4., 1e-3);
  const auto uneven = resize_area(plane, 4, 4);  // 1.5 input columns an output column
  EXPECT_NEAR(uneven.values[0], (0 + 0.5 * 1) / 1.5, 1e-5);
}

TEST(Crop, OutsideIsBlackAndTheStartIsHalfToEven) {
  const Image image = noise(5, 5, 3);
  const Image part = crop(image, -1, 3, 3, 4);
  EXPECT_EQ(part.at(0, 0, 0), 0);
  EXPECT_EQ(part.at(1, 0, 2), image.at(0, 3, 2));
  EXPECT_EQ(part.at(1, 2, 2), 0);
  EXPECT_EQ(centre_crop_start(229, 224), 2);  // 2.5
  EXPECT_EQ(centre_crop_start(227, 224), 2);  // 1.5
  EXPECT_EQ(short_side_size(300, 200, 224).height_px, 336);
  EXPECT_EQ(short_side_size(113, 320, 224).width_px, 634);
}

TEST(Resize, AnEmptySizeIsRefused) {
  EXPECT_EQ(error_of([] { resize_opencv_linear(noise(8, 8, 1), 0, 4); }).code(),
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cadenza
