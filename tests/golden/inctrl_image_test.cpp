// The pictures of vector 8.6 of the inctrl specification: bicubic to a short side of 240, centre
// crop.
#include <cmath>
#include <string>

#include "tests/golden/image_formulas.h"
#include <gtest/gtest.h>

#include "cadenza/image/resize.h"

namespace cadenza {
namespace {

/// The specification's generator: numbers in [-1,1) from a key and a position.
class KeyedNumbers {
 public:
  explicit KeyedNumbers(const std::string& key) {
    for (const char letter : key) {
      state_ = (state_ ^ static_cast<unsigned char>(letter)) * 0x100000001B3;
    }
  }
  double at(std::uint64_t index) const {
    std::uint64_t z = state_ + (index + 1) * 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    z ^= z >> 31;
    return double(z >> 40) * 0x1p-23 - 1;
  }

 private:
  std::uint64_t state_ = 0xCBF29CE484222325;
};

struct Case {
  std::string name;
  std::int64_t height, width, n_channels, sum;
  std::array<double, 3> first, last;
};
const std::vector<Case> kCases = {{"a",
                                   300,
                                   300,
                                   3,
                                   22077093,
                                   {0.309911, -0.1012426, -1.0536178},
                                   {1.4193913, 0.2739517, 1.2926931}},
                                  {"b",
                                   411,
                                   640,
                                   3,
                                   22027743,
                                   {1.171218, -0.6865455, -0.6412359},
                                   {-0.2448293, -0.0862348, 0.3257286}},
                                  {"c",
                                   500,
                                   417,
                                   3,
                                   22054050,
                                   {-0.6535853, 0.7241847, 0.197748},
                                   {-0.9893491, -0.3563747, 0.9940718}},
                                  {"d",
                                   100,
                                   150,
                                   3,
                                   22121275,
                                   {1.3901944, -0.1462659, -1.3806794},
                                   {-0.7119789, 1.669674, -0.7692165}},
                                  {"e",
                                   28,
                                   28,
                                   1,
                                   22340892,
                                   {1.9303361, 2.0748837, 2.1458969},
                                   {-1.0477428, -0.986701, -0.7549964}},
                                  {"f",
                                   32,
                                   32,
                                   3,
                                   22257320,
                                   {-1.193727, -1.7520971, 2.1458969},
                                   {0.9814385, 2.0748837, -0.4279349}},
                                  {"g",
                                   256,
                                   256,
                                   1,
                                   22073538,
                                   {0.7332653, 0.8442468, 0.9798517},
                                   {-1.500294, -1.4519417, -1.1958185}},
                                  {"h",
                                   240,
                                   241,
                                   3,
                                   22045126,
                                   {-1.6024829, 0.8142313, -0.8545369},
                                   {1.0836275, 1.2494565, 0.1124276}},
                                  {"i",
                                   240,
                                   243,
                                   3,
                                   21984142,
                                   {1.857344, 0.0638428, 1.2784731},
                                   {-1.6024829, -0.266328, -1.0109575}}};
constexpr std::array<double, 3> kMean = {0.48145466, 0.4578275, 0.40821073};
constexpr std::array<double, 3> kStd = {0.26862954, 0.26130258, 0.27577711};

TEST(V8_6_image, BicubicAndCropAreBitExact) {
  for (const auto& each : kCases) {
    const KeyedNumbers numbers("u8/" + each.name);
    std::uint64_t index = 0;
    const Image picture = draw(each.height, each.width, each.n_channels, [&](auto, auto, auto) {
      return static_cast<std::int64_t>(std::floor((numbers.at(index++) + 1) * 128));
    });
    const auto size = short_side_size(each.height, each.width, 240);
    const Image fitted =
        resize_pillow(picture, size.height_px, size.width_px, PillowFilter::kBicubic);
    const Image square = crop(fitted, centre_crop_start(size.height_px, 240),
                              centre_crop_start(size.width_px, 240), 240, 240);
    EXPECT_EQ(pixel_sum(square) * 3 / each.n_channels, each.sum) << each.name;
    for (std::int64_t c = 0; c < 3; ++c) {
      const auto value = [&](std::int64_t at) {
        const double v = square.at(at, at, each.n_channels == 1 ? 0 : c) / 255.;
        return (v - kMean[std::size_t(c)]) / kStd[std::size_t(c)];
      };
      EXPECT_NEAR(value(0), each.first[std::size_t(c)], 1e-6) << each.name;
      EXPECT_NEAR(value(239), each.last[std::size_t(c)], 1e-6) << each.name;
    }
  }
}

}  // namespace
}  // namespace cadenza
