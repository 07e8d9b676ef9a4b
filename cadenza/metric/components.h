#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace cadenza {

/// One 8-connected set of pixels: pixels that touch at a side or a corner belong together.
struct Component {
  std::int64_t x = 0, y = 0, width = 0, height = 0;  ///< bounding box
  std::int64_t area = 0;
  std::array<double, 2> centroid{0.0, 0.0};  ///< x, y; the centre of the first pixel is (0, 0)
  float max_score = 0;                       ///< largest score inside; 0 where none were given
};

struct Components {
  std::vector<std::int32_t> labels;  ///< [height, width]: 0 outside, else 1 + index into `list`
  std::vector<Component> list;       ///< by first pixel in reading order
};

/// The components of mask != 0.
///
/// Shapes   mask and scores [height_px, width_px], row by row; scores may be left out (empty).
/// Errors   kInvalidArgument: a size that does not fit. kLimitExceeded: 2^31 pixels or more.
/// Cost     O(pixels) time; one pass over the rows' runs, one over the labels.
Components label_components(std::span<const std::uint8_t> mask, std::int64_t height_px,
                            std::int64_t width_px, std::span<const float> scores = {});

/// The same without the labels, which take four bytes a pixel.
std::vector<Component> list_components(std::span<const std::uint8_t> mask, std::int64_t height_px,
                                       std::int64_t width_px, std::span<const float> scores = {});

}  // namespace cadenza
