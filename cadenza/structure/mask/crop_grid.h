#pragma once

#include <cstdint>
#include <vector>

#include "cadenza/structure/mask/box.h"

namespace cadenza {

struct GridPoint {
  double x = 0, y = 0;  ///< in [0,1] of the crop
};

/// n x n points, evenly spaced with half a space at the ends, row by row.
std::vector<GridPoint> point_grid(int n_per_side);

struct Crop {
  Box box;
  int layer = 0;
};

/// The whole picture (layer 0), then for each further layer l a grid of 2^l x 2^l crops, column by
/// column. Crops of layer 1 overlap by `overlap` of the picture's shorter side, those of each
/// further layer by half of that.
///
/// Source   Kirillov et al., "Segment Anything", appendix B, and the authors' program.
/// Errors   kInvalidArgument: an empty picture, n_layers outside [0,8], overlap outside [0,1).
std::vector<Crop> crop_grid(std::int64_t height_px, std::int64_t width_px, int n_layers,
                            double overlap);

}  // namespace cadenza
