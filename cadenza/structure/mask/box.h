#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cadenza/structure/mask/binary_mask.h"

namespace cadenza {

/// The first and the last pixel of a mask in each direction, or a crop, whose right and lower ends
/// lie behind its last pixel.
struct Box {
  std::int64_t left = 0, top = 0, right = 0, bottom = 0;
  bool operator==(const Box&) const = default;

  /// (right - left) (bottom - top): a mask of one row has none, as in the authors' program.
  std::int64_t area() const { return (right - left) * (bottom - top); }
};

/// All zeros for an empty mask.
Box box_of(const BinaryMask& mask);

/// Area in common over area of the union; 0 when the union has none.
double overlap(const Box& a, const Box& b);

/// Keeps a box unless a kept one of higher score overlaps it by more than `threshold` (greedy
/// non-maximum suppression).
///
/// Returns  indices of the kept boxes, by score descending; equal scores keep their order.
/// Errors   kInvalidArgument: another number of scores than of boxes.
/// Cost     O(n * kept).
std::vector<std::size_t> suppress_overlaps(std::span<const Box> boxes,
                                           std::span<const float> scores, double threshold);

/// Whether a box of the picture lies within `tolerance_px` of an end of the crop that is no end of
/// the picture: its mask was probably cut off there.
bool is_near_crop_edge(const Box& box, const Box& crop, const Box& picture,
                       std::int64_t tolerance_px = 20);

}  // namespace cadenza
