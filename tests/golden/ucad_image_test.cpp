// Vectors E (labels) and F (resize) of the ucad specification, section 7.2.
#include <array>

#include "tests/golden/image_formulas.h"
#include <gtest/gtest.h>

#include "cadenza/image/resize.h"

namespace cadenza {
namespace {

TEST(E, RegionIdsOnTheCellsAreTheAuthorsAverages) {
  const Image map =
      draw(224, 224, 1, [](auto y, auto x, auto) { return (7 * y + 13 * x) / 50 % 200; });
  const Image cells = resize_opencv_linear(map, 14, 14);
  const std::array<int, 14> first = {3, 7, 11, 15, 19, 23, 28, 32, 36, 40, 44, 48, 52, 57};
  const std::array<int, 14> last = {32, 36, 40, 44, 48, 52, 57, 61, 65, 69, 73, 77, 82, 86};
  for (int column = 0; column < 14; ++column) {
    EXPECT_EQ(cells.at(0, column, 0), first[std::size_t(column)]);
    EXPECT_EQ(cells.at(13, column, 0), last[std::size_t(column)]);
  }
}

std::int64_t pattern(std::int64_t y, std::int64_t x, std::int64_t c) {
  return (3 * y + 5 * x + 70 * c + y * x / 97) % 256;
}

void expect_pixel(const Image& image, std::int64_t y, std::int64_t x, std::array<int, 3> wanted) {
  for (int c = 0; c < 3; ++c) EXPECT_EQ(image.at(y, x, c), wanted[std::size_t(c)]);
}

TEST(F, PillowBilinear) {
  const Image small = resize_pillow(draw(900, 900, 3, pattern), 224, 224, PillowFilter::kBilinear);
  expect_pixel(small, 0, 0, {16, 86, 156});
  expect_pixel(small, 100, 50, {163, 61, 131});
  expect_pixel(small, 223, 223, {113, 183, 136});
  EXPECT_EQ(pixel_sum(small), 19192858);
}

TEST(F, OpenCvLinear) {
  const Image small = resize_opencv_linear(draw(1024, 1024, 3, pattern), 224, 224);
  expect_pixel(small, 0, 0, {14, 84, 154});
  expect_pixel(small, 100, 50, {34, 104, 174});
  expect_pixel(small, 223, 223, {232, 46, 116});
  EXPECT_EQ(pixel_sum(small), 19174230);
}

}  // namespace
}  // namespace cadenza
