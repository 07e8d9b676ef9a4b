// Vector C of the iuf specification, section 8: Pillow's bilinear on pictures, nearest on masks.
#include <array>

#include "tests/golden/image_formulas.h"
#include <gtest/gtest.h>

#include "cadenza/image/resize.h"

namespace cadenza {
namespace {

struct Case {
  std::int64_t height, width, bilinear_sum, nearest_sum;
  std::array<int, 12> first;
};
const std::array<Case, 4> kCases = {{
    {301, 407, 19187993, 6347715, {9, 38, 67, 22, 51, 80, 38, 67, 96, 54, 83, 112}},
    {900, 900, 19191645, 6344910, {55, 84, 113, 97, 126, 155, 127, 156, 180, 160, 185, 178}},
    {1024, 1024, 19193318, 6345930, {66, 95, 124, 109, 138, 165, 142, 170, 185, 172, 188, 152}},
    {150, 170, 19188370, 6349245, {0, 29, 58, 4, 33, 62, 10, 39, 68, 15, 44, 73}},
}};

TEST(C, PillowBilinearOfFourSizes) {
  for (const auto& [height, width, sum, unused, first] : kCases) {
    const Image picture = draw(height, width, 3, [](auto y, auto x, auto c) {
      return (7 * x + 13 * y + 29 * c + 5 * (x * y % 17)) & 255;
    });
    const Image small = resize_pillow(picture, 224, 224, PillowFilter::kBilinear);
    EXPECT_EQ(pixel_sum(small), sum) << height << "x" << width;
    for (std::size_t at = 0; at < first.size(); ++at) EXPECT_EQ(small.pixels[at], first[at]);
  }
}

}  // namespace
}  // namespace cadenza
