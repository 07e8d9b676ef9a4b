#include "cadenza/inspector/regions.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "cadenza/metric/components.h"

namespace cadenza {

std::vector<Region> find_regions(const ScoreMap& map, double map_threshold) {
  // The largest float that is not above the threshold: floats compare as their exact values would.
  auto limit = static_cast<float>(map_threshold);
  if (double{limit} > map_threshold) {
    limit = std::nextafter(limit, -std::numeric_limits<float>::infinity());
  }
  std::vector<std::uint8_t> mask(map.values.size());
  for (std::size_t at = 0; at < mask.size(); ++at) mask[at] = map.values[at] > limit ? 1 : 0;
  std::vector<Region> regions;
  for (const auto& part : list_components(mask, map.height_px, map.width_px, map.values)) {
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
