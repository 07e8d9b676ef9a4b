#pragma once

#include <cstdint>
#include <vector>

namespace cadenza {

/// The regions of a picture: every pixel has the id of the region it lies in, 0 = in none.
struct RegionMap {
  std::int64_t height_px = 0;
  std::int64_t width_px = 0;
  std::vector<std::int32_t> ids;  ///< [height, width]

  std::int32_t at(std::int64_t y, std::int64_t x) const {
    return ids[static_cast<std::size_t>(y * width_px + x)];
  }
};

}  // namespace cadenza
