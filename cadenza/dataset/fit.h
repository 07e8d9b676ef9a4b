#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "cadenza/dataset/input_spec.h"
#include "cadenza/image/resize.h"

namespace cadenza {

/// Where the network's rectangle lies: the picture is resized to height_px x width_px, and the
/// rectangle begins at (top, left) of that.
struct FittedWindow {
  std::int64_t height_px = 0, width_px = 0, top = 0, left = 0;
};

/// Errors   kInvalidArgument: an empty picture or rectangle, kShortSideCrop with a rectangle that
///          is no square. kUnsupported: kTiles, which has no single rectangle.
FittedWindow fitted_window(const InputSpec& input, std::int64_t height_px, std::int64_t width_px);

/// The way back: a map over the network's rectangle as it lies on a picture of height_px x
/// width_px. Bilinear between the cells' centres, the outermost cells carried on to the rectangle's
/// edge. What the fit cut off was never seen: it gets the map's lowest value.
///
/// Shapes   map [h,w] float32, any grid.
/// Errors   as fitted_window(); kInvalidArgument: shape.
FloatPlane map_to_image(const at::Tensor& map, const InputSpec& input, std::int64_t height_px,
                        std::int64_t width_px);

}  // namespace cadenza
