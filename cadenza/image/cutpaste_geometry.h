#pragma once

#include <array>
#include <cstdint>

namespace cadenza {

/// Where CutPaste cuts and pastes: a patch of width x height px from (from_x, from_y) to (to_x,
/// to_y). A patch larger than the image has a negative origin: cutting pads black, pasting clips.
struct CutPasteGeometry {
  std::int64_t width_px, height_px;
  std::int64_t from_y, from_x, to_y, to_x;
};

/// Uniform numbers in [0,1) that decide the geometry: the range of the aspect ratio, the area, the
/// aspect ratio, and the four positions in the order from_y, from_x, to_y, to_x.
struct CutPasteUniforms {
  double aspect_range, area, aspect;
  std::array<double, 4> position;
};

/// Source   Li et al., "CutPaste", CVPR 2021, with the ranges of the DNE program (dne_cl
///          specification 1.4): area 2 to 15 % of the image, aspect exp(U(log r, -log r)) with r
///          drawn from [0.1, 1].
CutPasteGeometry cutpaste_geometry(const CutPasteUniforms& uniforms, std::int64_t image_width_px,
                                   std::int64_t image_height_px);

}  // namespace cadenza
