#pragma once

#include "cadenza/image/image.h"
#include "cadenza/structure/region_map.h"

namespace cadenza {

struct SlicOptions {
  int n_segments = 100;     ///< about as many regions come out
  double compactness = 10;  ///< larger: squarer regions
  int max_iterations = 10;
};

/// Superpixels: k-means in colour (CIELAB for RGB) and position, each centre searching its
/// neighbourhood only; then every region is made connected.
///
/// Returns  ids 1..; every pixel has one.
/// Errors   kInvalidArgument: an option below 1 (compactness at or below 0), an empty image.
/// Cost     O(9 n max_iterations) in pixels.
/// Source   Achanta et al., "SLIC Superpixels", TPAMI 2012.
/// Differs  as scikit-image's with its defaults (no smoothing, regions between half and three times
///          the mean size).
RegionMap slic(const Image& image, const SlicOptions& options = {});

}  // namespace cadenza
