#pragma once

#include <cstdint>
#include <span>

#include "cadenza/structure/mask/run_lengths.h"
#include "cadenza/structure/region_map.h"

namespace cadenza {

/// Masks painted over each other, the largest first, so that smaller ones stay visible: the one
/// that is painted k-th has id k (from 1). Masks of equal area keep their order; a mask that later
/// ones cover leaves its id unused.
///
/// Errors   kInvalidArgument: a mask of another size.
/// Source   UCAD's program, dataset_sam.py.
RegionMap paint_masks(std::span<const RunLengths> masks, std::int64_t height_px,
                      std::int64_t width_px);

/// The map on another grid; each pixel takes the id of the one its centre falls into.
RegionMap resize_nearest(const RegionMap& regions, std::int64_t height_px, std::int64_t width_px);

}  // namespace cadenza
