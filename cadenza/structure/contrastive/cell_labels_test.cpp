#include "cadenza/structure/contrastive/cell_labels.h"

#include "tests/support/error_of.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace cadenza {
namespace {

at::Tensor random_maps(std::int64_t largest) {
  at::manual_seed(5);
  return at::randint(0, largest, {2, 224, 224}, at::kInt);
}

TEST(CellLabels, AverageTheFourMiddlePixels) {
  const auto maps = random_maps(200);
  const auto labels = cell_labels(maps, 14, 14, LabelRule::kAveraged);
  for (const std::int64_t row : {0, 6, 13}) {
    for (const std::int64_t column : {0, 5, 13}) {
      const auto y = 16 * row + 7, x = 16 * column + 7;
      const auto sum = maps[1].slice(0, y, y + 2).slice(1, x, x + 2).sum().item<std::int64_t>();
      EXPECT_EQ(labels[1][14 * row + column].item<std::int64_t>(), (sum + 2) / 4);
    }
  }
}

TEST(CellLabels, AveragedIdsSaturate) {
  const auto labels = cell_labels(at::full({1, 28, 28}, 700, at::kInt), 2, 2, LabelRule::kAveraged);
  EXPECT_TRUE((labels == 255).all().item<bool>());
}

TEST(CellLabels, NearestIsThePixelAtTheCentre) {
  const auto maps = random_maps(100000);
  const auto labels = cell_labels(maps, 14, 14, LabelRule::kNearest).view({2, 14, 14});
  EXPECT_EQ(labels[0][0][0].item<int>(), maps[0][7][7].item<int>());
  EXPECT_EQ(labels[1][13][3].item<int>(), maps[1][16 * 13 + 7][16 * 3 + 7].item<int>());
  const auto odd = cell_labels(maps.slice(1, 0, 21), 7, 14, LabelRule::kNearest);
  EXPECT_EQ(odd[0][14].item<int>(), maps[0][4][7].item<int>());  // the middle of rows 3, 4, 5
}

TEST(CellLabels, MajorityCountsTheCell) {
  const auto map = at::tensor({1, 1, 7, 7, 2, 1, 0, 7, 9, 9, 3, 4, 8, 8, 5, 6}, at::kInt);
  const auto labels = cell_labels(map.view({1, 4, 4}), 2, 2, LabelRule::kMajority);
  EXPECT_TRUE(at::equal(labels[0], at::tensor({1, 7, 8, 3}, at::kLong)));
}

TEST(CellLabels, RefusesWhatIsNoMap) {
  const auto code = [](const at::Tensor& maps, std::int64_t rows) {
    return error_of([&] { cell_labels(maps, rows, 2, LabelRule::kNearest); }).code();
  };
  EXPECT_EQ(code(at::zeros({4, 4}, at::kInt), 2), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(at::zeros({1, 4, 4}), 2), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(at::zeros({1, 4, 4}, at::kInt), 5), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([] { parse_label_rule("median"); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(parse_label_rule("averaged"), LabelRule::kAveraged);
}

}  // namespace
}  // namespace cadenza
