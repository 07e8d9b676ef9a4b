// Vector TV-7 of the dne_cl specification, section 8: CRC-32 of Pillow's results.
#include <array>
#include <cstdint>

#include <gtest/gtest.h>

#include "cadenza/image/pillow_colour.h"
#include "cadenza/image/pillow_rotate.h"
#include "cadenza/image/resize.h"

namespace cadenza {
namespace {

Image formula(std::int64_t width_px, std::int64_t height_px) {
  Image image{.height_px = height_px, .width_px = width_px, .n_channels = 3};
  for (std::int64_t y = 0; y < height_px; ++y) {
    for (std::int64_t x = 0; x < width_px; ++x) {
      for (std::int64_t c = 0; c < 3; ++c) {
        image.pixels.push_back(
            static_cast<std::uint8_t>((37 * x + 59 * y + 83 * c + 11 * x * y) % 256));
      }
    }
  }
  return image;
}

/// CRC-32 by its definition (polynomial 0xEDB88320), bit by bit.
std::uint32_t crc32(const Image& image) {
  std::uint32_t remainder = 0xFFFFFFFF;
  for (const auto byte : image.pixels) {
    remainder ^= byte;
    for (int bit = 0; bit < 8; ++bit) {
      remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? 0xEDB88320 : 0);
    }
  }
  return ~remainder;
}

TEST(TV_7, BicubicResize) {
  const auto small = resize_pillow(formula(40, 30), 16, 16, PillowFilter::kBicubic);
  EXPECT_EQ(crc32(small), 0xed671230);
  EXPECT_EQ(small.at(9, 7, 0), 170);
  EXPECT_EQ(small.at(9, 7, 1), 197);
  EXPECT_EQ(small.at(9, 7, 2), 68);
  EXPECT_EQ(crc32(resize_pillow(formula(40, 30), 48, 64, PillowFilter::kBicubic)), 0xfc92b62e);
}

TEST(TV_7, Rotation) {
  const auto image = formula(16, 16);
  EXPECT_EQ(crc32(image), 0x63f33c1b);
  EXPECT_EQ(crc32(rotate_pillow(image, 30)), 0x584b27ee);
  EXPECT_EQ(crc32(rotate_pillow(image, -45.5)), 0xac823991);
  EXPECT_EQ(crc32(rotate_pillow(image, 90)), 0xa8afc3b6);
}

TEST(TV_7, Colours) {
  const auto image = formula(16, 16);
  EXPECT_EQ(crc32(adjust_brightness(image, 1.07)), 0x0513c1b2);
  EXPECT_EQ(crc32(adjust_contrast(image, 0.93)), 0xac8d807b);
  EXPECT_EQ(crc32(adjust_saturation(image, 1.1)), 0x546853d5);
  EXPECT_EQ(crc32(adjust_hue(image, 0.08)), 0x28a49a26);
  EXPECT_EQ(crc32(adjust_hue(image, -0.05)), 0x5103d307);
}

}  // namespace
}  // namespace cadenza
