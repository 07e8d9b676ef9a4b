#include <algorithm>
#include <cmath>
#include <numeric>

#include "tests/support/error_of.h"
#include <gmock/gmock.h>

#include "cadenza/base/rng.h"
#include "cadenza/structure/mask/box.h"
#include "cadenza/structure/mask/clean.h"
#include "cadenza/structure/mask/crop_grid.h"
#include "cadenza/structure/mask/label_map.h"
#include "cadenza/structure/mask/label_map_file.h"
#include "cadenza/structure/mask/resample.h"
#include "cadenza/structure/mask/run_lengths.h"

namespace cadenza {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

BinaryMask mask_of(const std::vector<std::string>& rows) {
  BinaryMask mask{std::int64_t(rows.size()), std::int64_t(rows.at(0).size()), {}};
  for (const auto& row : rows) {
    for (const char cell : row) mask.inside.push_back(cell == '#');
  }
  return mask;
}

BinaryMask random_mask(Rng& rng, double share) {
  BinaryMask mask{1 + std::int64_t(rng.below(9)), 1 + std::int64_t(rng.below(9)), {}};
  for (std::int64_t pixel = 0; pixel < mask.height_px * mask.width_px; ++pixel) {
    mask.inside.push_back(rng.uniform() < share);
  }
  return mask;
}

// Columns: (0,1), (1,1), (0,0): one outside, three inside, two outside.
TEST(RunLengths, GoDownTheColumnsAndBeginOutside) {
  EXPECT_THAT(encode_runs(mask_of({".#.", "##."})).counts, ElementsAre(1, 3, 2));
  EXPECT_THAT(encode_runs(mask_of({"#.", ".."})).counts, ElementsAre(0, 1, 3));
  EXPECT_THAT(encode_runs(mask_of({".."})).counts, ElementsAre(2));
}

TEST(RunLengths, ComeBackAsTheMask) {
  Rng rng(7, "runs");
  for (int round = 0; round < 500; ++round) {
    const auto mask = random_mask(rng, rng.uniform());
    const auto runs = encode_runs(mask);
    EXPECT_EQ(decode_runs(runs), mask);
    EXPECT_EQ(runs.area(), std::accumulate(mask.inside.begin(), mask.inside.end(), 0));
  }
}

TEST(RunLengths, ThatDoNotFillTheMaskAreRefused) {
  for (const auto& counts : {std::vector<std::int64_t>{3}, {2, 3}, {5, -1}, {}}) {
    const auto error = error_of([&] { decode_runs({2, 2, counts}); });
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.what(), HasSubstr("run lengths of 2x2"));
  }
}

TEST(Boxes, HoldTheFirstAndTheLastPixel) {
  EXPECT_EQ(box_of(mask_of({"....", ".#..", "..#.", "...."})), (Box{1, 1, 2, 2}));
  EXPECT_EQ(box_of(mask_of({"..", ".."})), (Box{0, 0, 0, 0}));
  Rng rng(3, "boxes");
  for (int round = 0; round < 200; ++round) {
    const auto mask = random_mask(rng, 0.1);
    const auto box = box_of(mask);
    std::vector<std::int64_t> xs, ys;
    for (std::int64_t y = 0; y < mask.height_px; ++y) {
      for (std::int64_t x = 0; x < mask.width_px; ++x) {
        if (mask.at(y, x) != 0) xs.push_back(x), ys.push_back(y);
      }
    }
    if (xs.empty()) continue;
    EXPECT_EQ(box, (Box{std::ranges::min(xs), std::ranges::min(ys), std::ranges::max(xs),
                        std::ranges::max(ys)}));
  }
}

TEST(Boxes, OverlapIsSharedOverAll) {
  EXPECT_DOUBLE_EQ(overlap({0, 0, 4, 4}, {2, 0, 6, 4}), 8.0 / 24.0);
  EXPECT_DOUBLE_EQ(overlap({0, 0, 4, 4}, {4, 4, 8, 8}), 0);
  EXPECT_DOUBLE_EQ(overlap({1, 1, 1, 5}, {1, 1, 1, 5}), 0);  // no area
}

/// By definition: a box is kept iff no kept box before it in the order overlaps it too much.
std::vector<std::size_t> suppress_by_definition(const std::vector<Box>& boxes,
                                                const std::vector<float>& scores,
                                                double threshold) {
  std::vector<std::pair<float, std::size_t>> order;
  for (std::size_t box = 0; box < boxes.size(); ++box) order.emplace_back(-scores[box], box);
  std::sort(order.begin(), order.end());
  std::vector<char> is_dropped(boxes.size());
  std::vector<std::size_t> kept;
  for (const auto& [score, box] : order) {
    if (is_dropped[box]) continue;
    kept.push_back(box);
    for (std::size_t other = 0; other < boxes.size(); ++other) {
      const double left = double(std::max(boxes[box].left, boxes[other].left));
      const double right = double(std::min(boxes[box].right, boxes[other].right));
      const double top = double(std::max(boxes[box].top, boxes[other].top));
      const double bottom = double(std::min(boxes[box].bottom, boxes[other].bottom));
      const double both = std::max(0., right - left) * std::max(0., bottom - top);
      const double all = double(boxes[box].area()) + double(boxes[other].area()) - both;
      if (both > threshold * all) is_dropped[other] = 1;
    }
  }
  return kept;
}

TEST(Suppression, KeepsWhatItsDefinitionKeeps) {
  Rng rng(11, "suppression");
  for (int round = 0; round < 200; ++round) {
    std::vector<Box> boxes;
    std::vector<float> scores;
    const auto n = rng.below(30);
    for (std::uint64_t box = 0; box < n; ++box) {
      const auto x = std::int64_t(rng.below(12)), y = std::int64_t(rng.below(12));
      boxes.push_back({x, y, x + std::int64_t(rng.below(9)), y + std::int64_t(rng.below(9))});
      scores.push_back(float(rng.below(6)) / 4);  // many ties
    }
    const double threshold = 0.3 + 0.2 * double(round % 3) + 1e-9;
    const auto kept = suppress_overlaps(boxes, scores, threshold);
    EXPECT_EQ(kept, suppress_by_definition(boxes, scores, threshold));
    for (std::size_t one = 0; one < kept.size(); ++one) {
      for (std::size_t other = 0; other < one; ++other) {
        EXPECT_LE(overlap(boxes[kept[one]], boxes[kept[other]]), threshold);
        EXPECT_GE(scores[kept[other]], scores[kept[one]]);
      }
    }
  }
  const std::vector<Box> boxes(2);
  EXPECT_EQ(error_of([&] { suppress_overlaps(boxes, std::vector<float>{1.F}, 0.5); }).code(),
            ErrorCode::kInvalidArgument);
}

TEST(CropEdges, CountOnlyInsideThePicture) {
  const Box picture{0, 0, 200, 200}, left_half{0, 0, 120, 200};
  EXPECT_TRUE(is_near_crop_edge({60, 50, 119, 150}, left_half, picture));
  EXPECT_TRUE(is_near_crop_edge({60, 50, 100, 150}, left_half, picture));  // 20 px away
  EXPECT_FALSE(is_near_crop_edge({60, 50, 99, 150}, left_half, picture));  // 21 px away
  EXPECT_FALSE(is_near_crop_edge({0, 0, 90, 199}, left_half, picture));    // the picture's ends
  EXPECT_FALSE(is_near_crop_edge({0, 0, 199, 199}, picture, picture));
}

/// Flood fill from each pixel of `value`; pieces of fewer than min_area become the other value.
BinaryMask clean_by_flood_fill(const BinaryMask& mask, std::uint8_t value, std::int64_t min_area) {
  auto cleaned = mask;
  std::vector<char> is_seen(mask.inside.size());
  std::vector<std::vector<std::size_t>> small;
  std::vector<std::size_t> largest;
  bool has_large = false;
  for (std::size_t start = 0; start < mask.inside.size(); ++start) {
    if (is_seen[start] || mask.inside[start] != value) continue;
    std::vector<std::size_t> piece{start};
    is_seen[start] = 1;
    for (std::size_t next = 0; next < piece.size(); ++next) {
      const auto y = std::int64_t(piece[next]) / mask.width_px;
      const auto x = std::int64_t(piece[next]) % mask.width_px;
      for (std::int64_t to_y = y - 1; to_y <= y + 1; ++to_y) {
        for (std::int64_t to_x = x - 1; to_x <= x + 1; ++to_x) {
          if (to_y < 0 || to_x < 0 || to_y >= mask.height_px || to_x >= mask.width_px) continue;
          const auto to = std::size_t(to_y * mask.width_px + to_x);
          if (is_seen[to] || mask.inside[to] != value) continue;
          is_seen[to] = 1;
          piece.push_back(to);
        }
      }
    }
    if (std::int64_t(piece.size()) < min_area) {
      small.push_back(piece);
      if (piece.size() > largest.size()) largest = piece;
    } else {
      has_large = true;
    }
  }
  for (const auto& piece : small) {
    if (value == 1 && !has_large && piece == largest) continue;
    for (const auto pixel : piece) cleaned.inside[pixel] = 1 - value;
  }
  return cleaned;
}

TEST(Cleaning, IsWhatFloodFillSays) {
  Rng rng(13, "cleaning");
  for (int round = 0; round < 1000; ++round) {
    const auto mask = random_mask(rng, 0.2 + 0.6 * rng.uniform());
    const auto min_area = std::int64_t(rng.below(8));
    auto filled = mask;
    const bool has_filled = fill_holes(filled, min_area);
    EXPECT_EQ(filled, clean_by_flood_fill(mask, 0, min_area)) << "round " << round;
    EXPECT_EQ(has_filled, filled != mask);
    auto dropped = mask;
    drop_islands(dropped, min_area);
    EXPECT_EQ(dropped, clean_by_flood_fill(mask, 1, min_area)) << "round " << round;
  }
}

TEST(Cleaning, KeepsTheLargestOfSmallIslands) {
  auto mask = mask_of({"#.##", "....", "#..."});
  EXPECT_TRUE(drop_islands(mask, 10));
  EXPECT_EQ(mask, mask_of({"..##", "....", "...."}));
  EXPECT_TRUE(drop_islands(mask, 10));  // small still, as upstream says
}

TEST(Points, LieInTheMiddleOfTheirCells) {
  const auto points = point_grid(2);
  ASSERT_EQ(points.size(), 4U);
  EXPECT_EQ(points[1].x, 0.75);
  EXPECT_EQ(points[1].y, 0.25);
  EXPECT_EQ(points[2].x, 0.25);
  EXPECT_EQ(point_grid(1)[0].x, 0.5);
  EXPECT_EQ(error_of([] { point_grid(0); }).code(), ErrorCode::kInvalidArgument);
}

// By hand, 100 high, 160 wide, overlap 512/1500: layer 1 shares floor(34.13) = 34 px, crops are
// ceil(194/2) = 97 wide and 67 high; layer 2 shares floor(17.07) = 17 px, crops are
// ceil(211/4) = 53 and ceil(151/4) = 38.
TEST(Crops, AreThoseOfTheAuthorsProgram) {
  const auto crops = crop_grid(100, 160, 2, 512.0 / 1500);
  ASSERT_EQ(crops.size(), 1U + 4 + 16);
  EXPECT_EQ(crops[0].box, (Box{0, 0, 160, 100}));
  EXPECT_EQ(crops[1].box, (Box{0, 0, 97, 67}));
  EXPECT_EQ(crops[2].box, (Box{0, 33, 97, 100}));
  EXPECT_EQ(crops[3].box, (Box{63, 0, 160, 67}));
  EXPECT_EQ(crops[5].box, (Box{0, 0, 53, 38}));
  EXPECT_EQ(crops[20].box, (Box{108, 63, 160, 100}));
  EXPECT_EQ(crops[20].layer, 2);
}

TEST(Crops, CoverThePicture) {
  Rng rng(5, "crops");
  for (int round = 0; round < 50; ++round) {
    const auto height = 8 + std::int64_t(rng.below(60)), width = 8 + std::int64_t(rng.below(60));
    const auto crops = crop_grid(height, width, 2, rng.uniform(0, 0.6));
    for (int layer = 0; layer <= 2; ++layer) {
      std::vector<int> n_covers(std::size_t(height * width));
      for (const auto& crop : crops) {
        EXPECT_GE(crop.box.left, 0);
        EXPECT_LE(crop.box.bottom, height);
        if (crop.layer != layer) continue;
        for (auto y = crop.box.top; y < crop.box.bottom; ++y) {
          for (auto x = crop.box.left; x < crop.box.right; ++x) {
            ++n_covers[std::size_t(y * width + x)];
          }
        }
      }
      EXPECT_GT(std::ranges::min(n_covers), 0) << height << 'x' << width << " layer " << layer;
    }
  }
  for (const auto& error :
       {error_of([] { crop_grid(0, 5, 0, 0); }), error_of([] { crop_grid(5, 5, 9, 0); }),
        error_of([] { crop_grid(5, 5, 1, 1); })}) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  }
}

/// Bilinear with half-pixel centres, in double precision.
std::vector<double> bilinear(const std::vector<double>& from, std::int64_t height,
                             std::int64_t width, std::int64_t to_height, std::int64_t to_width) {
  const auto source = [](std::int64_t out, std::int64_t n_in, std::int64_t n_out) {
    return std::max(0.0, (double(out) + 0.5) * double(n_in) / double(n_out) - 0.5);
  };
  std::vector<double> to;
  for (std::int64_t y = 0; y < to_height; ++y) {
    for (std::int64_t x = 0; x < to_width; ++x) {
      const double at_y = source(y, height, to_height), at_x = source(x, width, to_width);
      const auto y0 = std::int64_t(at_y), x0 = std::int64_t(at_x);
      const auto y1 = std::min(y0 + 1, height - 1), x1 = std::min(x0 + 1, width - 1);
      const double fy = at_y - double(y0), fx = at_x - double(x0);
      const auto value = [&](std::int64_t row, std::int64_t column) {
        return from[std::size_t(row * width + column)];
      };
      to.push_back((1 - fy) * ((1 - fx) * value(y0, x0) + fx * value(y0, x1)) +
                   fy * ((1 - fx) * value(y1, x0) + fx * value(y1, x1)));
    }
  }
  return to;
}

TEST(LogitResampler, EqualsTwoResizesWithTheCropBetween) {
  Rng rng(17, "logits");
  const ResampleAxis axes[] = {{16, 64, 64, 14}, {16, 64, 40, 25}, {16, 64, 33, 200},
                               {9, 36, 36, 36},  {9, 18, 11, 3},   {2, 8, 1, 5},
                               {1, 4, 4, 7},     {3, 3, 3, 1}};
  for (const auto& rows : axes) {
    for (const auto& columns : axes) {
      std::vector<float> logits;
      for (std::int64_t cell = 0; cell < rows.low * columns.low; ++cell) {
        logits.push_back(float(rng.uniform(-3, 3)));
      }
      const auto padded = bilinear({logits.begin(), logits.end()}, rows.low, columns.low,
                                   rows.padded, columns.padded);
      std::vector<double> used;
      for (std::int64_t y = 0; y < rows.used; ++y) {
        const auto row = padded.begin() + y * columns.padded;
        used.insert(used.end(), row, row + columns.used);
      }
      const auto expected = bilinear(used, rows.used, columns.used, rows.out, columns.out);
      const LogitResampler resampler(rows, columns);
      const auto found = resampler.enlarge(logits);
      ASSERT_EQ(found.size(), expected.size());
      for (std::size_t pixel = 0; pixel < found.size(); ++pixel) {
        ASSERT_NEAR(found[pixel], expected[pixel], 3e-6);
      }
      const auto cut = resampler.cut(logits, {.threshold = 0.25, .offset = 0.5});
      std::int64_t n_high = 0, n_low = 0;
      for (std::size_t pixel = 0; pixel < found.size(); ++pixel) {
        n_high += found[pixel] > 0.75F;
        n_low += found[pixel] > -0.25F;
        ASSERT_EQ(cut.mask.inside[pixel] == 1, found[pixel] > 0.25F);
      }
      EXPECT_EQ(cut.stability, n_low == 0 ? 0 : double(n_high) / double(n_low));
    }
  }
}

TEST(LogitResampler, NamesSizesThatDoNotFit) {
  EXPECT_THAT(error_of([] { LogitResampler({4, 16, 17, 8}, {4, 16, 16, 8}); }).what(),
              HasSubstr("logits of 4 cells for 17 of 16 pixels"));
  EXPECT_EQ(error_of([] { LogitResampler({4, 3, 3, 8}, {4, 16, 16, 8}); }).code(),
            ErrorCode::kInvalidArgument);
  const LogitResampler resampler({4, 16, 16, 8}, {4, 16, 16, 8});
  EXPECT_EQ(error_of([&] { resampler.enlarge(std::vector<float>(15)); }).code(),
            ErrorCode::kInvalidArgument);
}

TEST(Painting, SmallerMasksLieOnTop) {
  const auto large = encode_runs(mask_of({"####", "####", "...."}));
  const auto small = encode_runs(mask_of({".#..", "....", "...#"}));
  const auto equal = encode_runs(mask_of({"....", ".#..", "...#"}));
  const std::vector<RunLengths> masks{small, equal, large};
  const auto map = paint_masks(masks, 3, 4);
  EXPECT_THAT(map.ids, ElementsAre(1, 2, 1, 1, 1, 3, 1, 1, 0, 0, 0, 3));
  EXPECT_EQ(error_of([&] { paint_masks(masks, 4, 3); }).code(), ErrorCode::kInvalidArgument);
}

TEST(Painting, NearestTakesThePixelOfTheCentre) {
  const RegionMap map{1, 4, {1, 2, 3, 4}};
  EXPECT_THAT(resize_nearest(map, 1, 2).ids, ElementsAre(2, 4));
  EXPECT_THAT(resize_nearest(map, 2, 4).ids, ElementsAre(1, 2, 3, 4, 1, 2, 3, 4));
  EXPECT_THAT(resize_nearest(map, 1, 8).ids, ElementsAre(1, 1, 2, 2, 3, 3, 4, 4));
}

TEST(LabelMapFile, KeepsWhatItsDepthHolds) {
  const RegionMap map{2, 3, {0, 1, 254, 255, 256, 65535}};
  EXPECT_EQ(decode_label_map(encode_label_map(map), "m.png").ids, map.ids);
  EXPECT_THAT(decode_label_map(encode_label_map_8bit(map), "m.png").ids,
              ElementsAre(0, 1, 254, 255, 255, 255));
  const auto error = error_of([] { encode_label_map({1, 1, {65536}}); });
  EXPECT_EQ(error.code(), ErrorCode::kLimitExceeded);
  EXPECT_THAT(error.what(), HasSubstr("region id 65536"));
}

}  // namespace
}  // namespace cadenza
