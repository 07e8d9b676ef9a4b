#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "cadenza/image/image.h"

namespace cadenza {

enum class PillowFilter { kNearest, kBilinear, kBicubic };

/// Pillow's Image.resize, bit for bit: antialiased when shrinking, 22-bit fixed-point weights, the
/// horizontal pass rounded to 8 bits before the vertical one.
Image resize_pillow(const Image& image, std::int64_t height_px, std::int64_t width_px,
                    PillowFilter filter);

/// OpenCV's resize with INTER_LINEAR on 8 bits, bit for bit: no antialiasing, 11-bit weights.
Image resize_opencv_linear(const Image& image, std::int64_t height_px, std::int64_t width_px);

/// What a network is fed of 8-bit values v: (v / 255 - mean) / stddev, a channel each.
struct Normalisation {
  std::array<float, 3> mean{0, 0, 0};
  std::array<float, 3> stddev{1.F / 255, 1.F / 255, 1.F / 255};  ///< the default keeps v
};

/// Separable triangle filter, antialiased when shrinking, half-pixel centres, in float without any
/// rounding; then normalised. Grey is repeated.
///
/// Shapes   out [3, height_px, width_px] planar, written whole.
/// Cost     0.3 ms for 300x300 RGB to 256x256.
/// Source   torch's interpolate(bilinear, antialias=true, align_corners=false).
void resize_triangle(const Image& image, std::int64_t height_px, std::int64_t width_px,
                     const Normalisation& normalisation, std::span<float> out);

/// The shorter side becomes `side_px`, the other int(side_px * long / short).
struct FittedSize {
  std::int64_t height_px, width_px;
};
FittedSize short_side_size(std::int64_t height_px, std::int64_t width_px, std::int64_t side_px);

/// Where a centred window of `window_px` begins in `size_px`: half to even, as torchvision's.
std::int64_t centre_crop_start(std::int64_t size_px, std::int64_t window_px);

/// A rectangle of the picture; parts outside are black.
Image crop(const Image& image, std::int64_t top, std::int64_t left, std::int64_t height_px,
           std::int64_t width_px);

/// A float picture, row by row: a map, a mask, one channel.
struct FloatPlane {
  std::int64_t height_px = 0, width_px = 0;
  std::vector<float> values;
};

/// Bilinear with half-pixel centres, edges clamped, no antialiasing: how maps are enlarged.
FloatPlane resize_bilinear(const FloatPlane& plane, std::int64_t height_px, std::int64_t width_px);

/// Each output pixel is the mean of the area it covers; a side that grows is bilinear instead.
FloatPlane resize_area(const FloatPlane& plane, std::int64_t height_px, std::int64_t width_px);

}  // namespace cadenza
