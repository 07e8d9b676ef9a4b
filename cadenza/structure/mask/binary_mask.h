#pragma once

#include <cstdint>
#include <vector>

namespace cadenza {

/// Pixels that belong to one thing.
struct BinaryMask {
  std::int64_t height_px = 0;
  std::int64_t width_px = 0;
  std::vector<std::uint8_t> inside;  ///< [height, width], 0 or 1

  std::uint8_t at(std::int64_t y, std::int64_t x) const {
    return inside[static_cast<std::size_t>(y * width_px + x)];
  }
  bool operator==(const BinaryMask&) const = default;
};

}  // namespace cadenza
