#include "cadenza/inspector/regions.h"

#include <algorithm>
#include <cstdint>

#include "cadenza/metric/components.h"

namespace cadenza {

std::vector<Region> find_regions(const ScoreMap& map, double map_threshold) {
  std::vector<std::uint8_t> mask(map.values.size());
  std::ranges::transform(map.values, mask.begin(),
                         [&](float value) { return static_cast<double>(value) > map_threshold; });
  std::vector<Region> regions;
  for (const auto& part : label_components(mask, map.height_px, map.width_px, map.values).list) {
    regions.push_back({.x = part.x,
                       .y = part.y,
                       .width = part.width,
                       .height = part.height,
                       .area = part.area,
                       .max_score = part.max_score,
                       .centroid = part.centroid});
  }
  std::ranges::stable_sort(regions, std::ranges::greater{}, &Region::max_score);
  return regions;
}

}  // namespace cadenza
