#pragma once

#include <cstdint>
#include <span>

#include "cadenza/image/image.h"

namespace cadenza {

/// Which map value gets which colour: one scale for all images of a task, so that two pictures can
/// be compared and a good part looks like its photograph.
struct OverlayScale {
  double calm = 0;       ///< nothing is painted up to here
  double threshold = 1;  ///< a value above it is outside what normals show: outlined
  double full = 2;       ///< the strongest colour from here on

  /// The scale of a task with this threshold of its map: paint begins a quarter of the threshold's
  /// size below it and is full at one size above.
  static OverlayScale around(double map_threshold);
};

struct OverlayOptions {
  bool has_legend = true;  ///< a strip below the picture with the scale's colours and numbers
};

/// Pictures narrower than this get no legend: its numbers would not fit.
inline constexpr std::int64_t kLegendMinWidthPx = 96;

/// The photograph with the map painted over it, and an outline around what exceeds the threshold.
///
/// Shapes   picture [h,w,1 or 3]; map [h,w], as large as the picture; returns RGB [h + legend, w].
/// Errors   kInvalidArgument: sizes that differ, or a scale that does not rise.
/// Cost     O(pixels).
Image draw_overlay(const Image& picture, std::span<const float> map, const OverlayScale& scale,
                   const OverlayOptions& options = {});

/// Grey picture: 255 where the map exceeds the threshold, else 0. Shapes and errors as above.
Image draw_mask(std::span<const float> map, std::int64_t height_px, std::int64_t width_px,
                double threshold);

}  // namespace cadenza
