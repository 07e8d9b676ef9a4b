#pragma once

#include <cstdint>
#include <vector>

#include "cadenza/structure/mask/binary_mask.h"

namespace cadenza {

/// A mask as the lengths of its runs, column by column, the first run outside (perhaps of length
/// 0): the uncompressed run lengths of COCO's tools.
struct RunLengths {
  std::int64_t height_px = 0;
  std::int64_t width_px = 0;
  std::vector<std::int64_t> counts;  ///< outside, inside, outside, ...; their sum is all pixels

  std::int64_t area() const;
  bool operator==(const RunLengths&) const = default;
};

RunLengths encode_runs(const BinaryMask& mask);

/// Errors   kInvalidArgument: negative lengths, or a sum that is not the number of pixels.
BinaryMask decode_runs(const RunLengths& runs);

}  // namespace cadenza
