#include "cadenza/structure/mask/label_map.h"

#include <algorithm>
#include <numeric>

#include "cadenza/base/error.h"

namespace cadenza {

RegionMap paint_masks(std::span<const RunLengths> masks, std::int64_t height_px,
                      std::int64_t width_px) {
  std::vector<std::size_t> order(masks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater{},
                           [&](std::size_t mask) { return masks[mask].area(); });
  RegionMap map{height_px, width_px,
                std::vector<std::int32_t>(static_cast<std::size_t>(height_px * width_px))};
  std::int32_t id = 0;
  for (const auto index : order) {
    CADENZA_REQUIRE(masks[index].height_px == height_px && masks[index].width_px == width_px,
                    ErrorCode::kInvalidArgument, "mask ", index, ": expected ", height_px, "x",
                    width_px, ", found ", masks[index].height_px, "x", masks[index].width_px);
    ++id;
    const auto mask = decode_runs(masks[index]);
    for (std::size_t pixel = 0; pixel < map.ids.size(); ++pixel) {
      if (mask.inside[pixel] != 0) map.ids[pixel] = id;
    }
  }
  return map;
}

RegionMap resize_nearest(const RegionMap& regions, std::int64_t height_px, std::int64_t width_px) {
  RegionMap map{height_px, width_px, {}};
  map.ids.reserve(static_cast<std::size_t>(height_px * width_px));
  for (std::int64_t y = 0; y < height_px; ++y) {
    const auto from_y = (2 * y + 1) * regions.height_px / (2 * height_px);
    for (std::int64_t x = 0; x < width_px; ++x) {
      map.ids.push_back(regions.at(from_y, (2 * x + 1) * regions.width_px / (2 * width_px)));
    }
  }
  return map;
}

}  // namespace cadenza
