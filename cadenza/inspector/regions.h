#pragma once

#include <vector>

#include "cadenza/inspector/verdict.h"

namespace cadenza {

/// The 8-connected parts of a map that exceed `map_threshold` (strictly), largest max_score first,
/// in pixels of the map; a pixel's centre has its whole-numbered place.
/// Cost     O(pixels).
std::vector<Region> find_regions(const ScoreMap& map, double map_threshold);

}  // namespace cadenza
