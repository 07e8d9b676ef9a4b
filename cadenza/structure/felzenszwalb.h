#pragma once

#include "cadenza/image/image.h"
#include "cadenza/structure/region_map.h"

namespace cadenza {

struct FelzenszwalbOptions {
  double scale = 1;    ///< larger: larger regions; in the units of scikit-image (divided by 255)
  double sigma = 0.8;  ///< of the Gaussian before the grouping, in pixels; 0 for none
  int min_size_px = 20;
};

/// Groups pixels by the differences between neighbours (graph based, 8-connected).
///
/// Returns  ids 1.. in the order of each region's first union-find root; every pixel has one.
/// Errors   kInvalidArgument: a negative option, an empty image.
/// Cost     O(n log n) in pixels; 40 bytes a pixel and edge list.
/// Source   Felzenszwalb & Huttenlocher, "Efficient Graph-Based Image Segmentation", IJCV 2004.
/// Differs  as scikit-image's (its defaults): colours in [0,1], all channels in one distance; edges
///          of equal weight are taken in raster order, where scikit-image's order is its sort's.
RegionMap felzenszwalb(const Image& image, const FelzenszwalbOptions& options = {});

}  // namespace cadenza
