#include "cadenza/metric/components.h"

#include <algorithm>
#include <queue>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/error_of.h"
#include <gtest/gtest.h>

#include "cadenza/base/rng.h"

namespace cadenza {
namespace {

/// One character a pixel, '#' set.
Components draw(const std::vector<std::string_view>& rows, std::span<const float> scores = {}) {
  std::vector<std::uint8_t> mask;
  for (const auto row : rows) {
    for (const auto pixel : row) mask.push_back(pixel == '#');
  }
  return label_components(mask, std::ssize(rows), std::ssize(rows.front()), scores);
}

TEST(LabelComponents, CornersTouch) {
  EXPECT_EQ(draw({"#..", ".#.", "..#"}).list.size(), 1);
  EXPECT_EQ(draw({"..#", ".#.", "#.."}).list.size(), 1);
  EXPECT_EQ(draw({"#.#", "...", "#.#"}).list.size(), 4);
  EXPECT_EQ(draw({"#.#", "###"}).list.size(), 1);
}

TEST(LabelComponents, RowsDoNotTouchAroundTheEdge) {
  EXPECT_EQ(draw({"..#", "#.."}).list.size(), 2);
}

TEST(LabelComponents, MeasuresByHand) {
  std::vector<float> scores(12, -5);
  scores[5] = -2;  // (1, 1)
  scores[11] = 9;  // (3, 2): outside
  const auto found = draw({".#..", "##..", ".#.."}, scores);
  ASSERT_EQ(found.list.size(), 1);
  const auto& one = found.list.front();
  EXPECT_EQ(one.x, 0);
  EXPECT_EQ(one.y, 0);
  EXPECT_EQ(one.width, 2);
  EXPECT_EQ(one.height, 3);
  EXPECT_EQ(one.area, 4);
  EXPECT_DOUBLE_EQ(one.centroid[0], 0.75);
  EXPECT_DOUBLE_EQ(one.centroid[1], 1);
  EXPECT_EQ(one.max_score, -2);
}

TEST(LabelComponents, AreNumberedInReadingOrder) {
  // The first component's root is found late: the spiral's arms join in the last row.
  const auto found = draw({"#.#.#", "#...#", "#####"});
  ASSERT_EQ(found.list.size(), 2);
  EXPECT_EQ(found.labels[0], 1);
  EXPECT_EQ(found.labels[2], 2);
  EXPECT_EQ(found.labels[4], 1);
  EXPECT_EQ(found.list[0].width, 5);
}

TEST(LabelComponents, NothingSetNothingFound) {
  const auto found = draw({"...", "..."});
  EXPECT_TRUE(found.list.empty());
  EXPECT_EQ(found.labels, std::vector<std::int32_t>(6, 0));
  EXPECT_TRUE(label_components({}, 0, 0).list.empty());
}

/// Flood fill from each pixel in reading order.
std::vector<std::int32_t> labels_by_flooding(const std::vector<std::uint8_t>& mask,
                                             std::int64_t height, std::int64_t width) {
  std::vector<std::int32_t> labels(mask.size(), 0);
  std::int32_t n_found = 0;
  for (std::int64_t start = 0; start < std::ssize(mask); ++start) {
    if (mask[std::size_t(start)] == 0 || labels[std::size_t(start)] != 0) continue;
    labels[std::size_t(start)] = ++n_found;
    std::queue<std::int64_t> front({start});
    for (; !front.empty(); front.pop()) {
      for (int dy = -1; dy <= 1; ++dy) {
        for (int dx = -1; dx <= 1; ++dx) {
          const auto y = front.front() / width + dy, x = front.front() % width + dx;
          if (y < 0 || y >= height || x < 0 || x >= width) continue;
          const auto pixel = std::size_t(y * width + x);
          if (mask[pixel] == 0 || labels[pixel] != 0) continue;
          labels[pixel] = n_found;
          front.push(y * width + x);
        }
      }
    }
  }
  return labels;
}

TEST(LabelComponents, AgreesWithFloodingOnRandomMasks) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Rng rng(seed, "mask");
    const auto height = static_cast<std::int64_t>(1 + rng.below(20));
    const auto width = static_cast<std::int64_t>(1 + rng.below(20));
    const auto cover = rng.uniform();
    std::vector<std::uint8_t> mask;
    std::vector<float> scores;
    for (std::int64_t pixel = 0; pixel < height * width; ++pixel) {
      mask.push_back(rng.uniform() < cover ? 255 : 0);
      scores.push_back(static_cast<float>(rng.normal()));
    }
    const auto found = label_components(mask, height, width, scores);
    ASSERT_EQ(found.labels, labels_by_flooding(mask, height, width)) << "seed " << seed;
    ASSERT_EQ(list_components(mask, height, width, scores).size(), found.list.size());

    for (std::size_t index = 0; index < found.list.size(); ++index) {
      const auto& component = found.list[index];
      std::int64_t area = 0, left = width, right = -1, top = height, bottom = -1;
      double sum_x = 0, sum_y = 0;
      float largest = -1e9F;
      for (std::int64_t y = 0; y < height; ++y) {
        for (std::int64_t x = 0; x < width; ++x) {
          if (found.labels[std::size_t(y * width + x)] != std::int32_t(index) + 1) continue;
          ++area;
          left = std::min(left, x), right = std::max(right, x);
          top = std::min(top, y), bottom = std::max(bottom, y);
          sum_x += double(x), sum_y += double(y);
          largest = std::max(largest, scores[std::size_t(y * width + x)]);
        }
      }
      EXPECT_EQ(component.area, area) << "seed " << seed;
      EXPECT_EQ(component.x, left) << "seed " << seed;
      EXPECT_EQ(component.y, top) << "seed " << seed;
      EXPECT_EQ(component.width, right - left + 1) << "seed " << seed;
      EXPECT_EQ(component.height, bottom - top + 1) << "seed " << seed;
      EXPECT_NEAR(component.centroid[0], sum_x / double(area), 1e-9) << "seed " << seed;
      EXPECT_NEAR(component.centroid[1], sum_y / double(area), 1e-9) << "seed " << seed;
      EXPECT_EQ(component.max_score, largest) << "seed " << seed;
    }
  }
}

TEST(LabelComponents, RefusesSizesThatDoNotFit) {
  const std::vector<std::uint8_t> mask(6, 1);
  const std::vector<float> scores(5, 0);
  const auto code = [&](std::int64_t height, std::int64_t width, std::span<const float> values) {
    return error_of([&] { label_components(mask, height, width, values); }).code();
  };
  EXPECT_EQ(code(2, 4, {}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(-2, -3, {}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(2, 3, scores), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cadenza
