#include "cadenza/structure/mask/box.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "cadenza/base/error.h"

namespace cadenza {

Box box_of(const BinaryMask& mask) {
  Box box{mask.width_px, mask.height_px, -1, -1};
  for (std::int64_t y = 0; y < mask.height_px; ++y) {
    for (std::int64_t x = 0; x < mask.width_px; ++x) {
      if (mask.at(y, x) == 0) continue;
      box = {std::min(box.left, x), std::min(box.top, y), std::max(box.right, x), y};
    }
  }
  return box.bottom < 0 ? Box{} : box;
}

double overlap(const Box& a, const Box& b) {
  const auto width = std::min(a.right, b.right) - std::max(a.left, b.left);
  const auto height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  const auto common = std::max<std::int64_t>(width, 0) * std::max<std::int64_t>(height, 0);
  const auto all = a.area() + b.area() - common;
  return all == 0 ? 0 : static_cast<double>(common) / static_cast<double>(all);
}

std::vector<std::size_t> suppress_overlaps(std::span<const Box> boxes,
                                           std::span<const float> scores, double threshold) {
  CADENZA_REQUIRE(boxes.size() == scores.size(), ErrorCode::kInvalidArgument, "scores: expected ",
                  boxes.size(), ", one a box, found ", scores.size());
  std::vector<std::size_t> order(boxes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater{}, [&](std::size_t i) { return scores[i]; });
  std::vector<std::size_t> kept;
  for (const auto candidate : order) {
    const bool is_free = std::ranges::none_of(kept, [&](std::size_t better) {
      return overlap(boxes[better], boxes[candidate]) > threshold;
    });
    if (is_free) kept.push_back(candidate);
  }
  return kept;
}

bool is_near_crop_edge(const Box& box, const Box& crop, const Box& picture,
                       std::int64_t tolerance_px) {
  const auto cut = [&](std::int64_t end, std::int64_t of_crop, std::int64_t of_picture) {
    return std::abs(end - of_crop) <= tolerance_px && std::abs(end - of_picture) > tolerance_px;
  };
  return cut(box.left, crop.left, picture.left) || cut(box.top, crop.top, picture.top) ||
         cut(box.right, crop.right, picture.right) || cut(box.bottom, crop.bottom, picture.bottom);
}

}  // namespace cadenza
