#include "cadenza/experiment/pixel_truth.h"

#include <numeric>

#include "tests/support/error_of.h"
#include "tests/support/temporary_folder.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/base/file.h"
#include "cadenza/image/encode.h"

namespace cadenza {
namespace {

using testing::Each;
using testing::ElementsAre;

class PixelTruthTest : public testing::Test {
 protected:
  /// A mask file of the given size with value `level` in its first `n_marked` pixels.
  MaskFile mask(const std::string& name, std::int64_t height_px, std::int64_t width_px,
                const std::vector<std::size_t>& marked, std::uint8_t level = 255) {
    Image image{.height_px = height_px, .width_px = width_px, .n_channels = 1};
    image.pixels.resize(static_cast<std::size_t>(height_px * width_px), 0);
    for (const auto index : marked) image.pixels[index] = level;
    const auto path = folder_.path() / name;
    write_file_atomic(path, encode_png(image));
    return {.path = path, .saturation_px = {}};
  }
  static ScoreMap map(std::int64_t height_px, std::int64_t width_px) {
    ScoreMap map{.height_px = height_px, .width_px = width_px};
    map.values.resize(static_cast<std::size_t>(height_px * width_px));
    std::iota(map.values.begin(), map.values.end(), 0.0F);
    return map;
  }
  static Sample defect(std::vector<MaskFile> masks) {
    return {.file = "x.png", .task = "a", .is_defect = true, .masks = std::move(masks)};
  }

  TemporaryFolder folder_;
};

TEST_F(PixelTruthTest, UnitesMasksAtTheirOwnSize) {
  // 1 is above 0, too: LOCO marks a region with the number of its kind.
  const auto truth = defect({mask("a.png", 2, 3, {0}, 1), mask("b.png", 2, 3, {0, 5})});
  const auto pixels = pixel_truth(truth, map(2, 3), 0);
  ASSERT_TRUE(pixels);
  EXPECT_EQ(pixels->height_px, 2);
  EXPECT_EQ(pixels->width_px, 3);
  EXPECT_THAT(pixels->mask, ElementsAre(1, 0, 0, 0, 0, 1));
  EXPECT_THAT(pixels->map, ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST_F(PixelTruthTest, NormalsHaveNoDefectPixel) {
  auto truth = defect({mask("a.png", 2, 2, {0, 1, 2, 3})});
  truth.is_defect = false;
  EXPECT_THAT(pixel_truth(truth, map(2, 2), 0)->mask, Each(0));
  truth.masks.clear();
  EXPECT_THAT(pixel_truth(truth, map(2, 2), 0)->mask, Each(0));
}

TEST_F(PixelTruthTest, AbsentWithoutMaskOrMap) {
  EXPECT_FALSE(pixel_truth(defect({}), map(2, 2), 0));
  EXPECT_FALSE(pixel_truth(defect({mask("a.png", 2, 2, {0})}), {}, 0));
}

TEST_F(PixelTruthTest, ShrinksByAreaAndAsksForAQuarter) {
  // 4x4 to 2x2, a block is four pixels: 1, 0, 2 and 4 of them are marked.
  const auto truth = defect({mask("a.png", 4, 4, {0, 8, 9, 10, 11, 14, 15})});
  const auto pixels = pixel_truth(truth, map(4, 4), 2);
  ASSERT_TRUE(pixels);
  EXPECT_THAT(pixels->mask, ElementsAre(1, 0, 1, 1));
  EXPECT_THAT(pixels->map, ElementsAre(2.5, 4.5, 10.5, 12.5));
  // 8x8 to 2x2: three of sixteen are less than a quarter, four are a quarter.
  const auto few = defect({mask("b.png", 8, 8, {0, 1, 2, 4, 5, 6, 7})});
  EXPECT_THAT(pixel_truth(few, map(8, 8), 2)->mask, ElementsAre(0, 1, 0, 0));
}

TEST_F(PixelTruthTest, RefusesAMaskOfAnotherSize) {
  const auto error =
      error_of([&] { pixel_truth(defect({mask("a.png", 3, 2, {0})}), map(2, 3), 0); });
  EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
  EXPECT_THAT(error.what(),
              testing::HasSubstr("a.png: the mask is 2x3 pixels, its image x.png is 3x2"));
}

}  // namespace
}  // namespace cadenza
