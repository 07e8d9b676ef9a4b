#pragma once

#include <cstdint>

#include "cadenza/structure/mask/binary_mask.h"

namespace cadenza {

/// Fills what lies outside in 8-connected pieces of fewer than `min_area_px` pixels, a piece at the
/// border included. Returns whether anything changed.
bool fill_holes(BinaryMask& mask, std::int64_t min_area_px);

/// Removes 8-connected pieces of fewer than `min_area_px` pixels; if all are, the largest stays
/// (the first of equal ones in reading order). Returns whether a small piece was there.
bool drop_islands(BinaryMask& mask, std::int64_t min_area_px);

}  // namespace cadenza
