#pragma once

#include <cstdint>
#include <vector>

namespace cadenza {

/// A picture as decoded: rows top to bottom, channels interleaved, tightly packed 8-bit values.
struct Image {
  std::int64_t height_px = 0;
  std::int64_t width_px = 0;
  std::int64_t n_channels = 0;       ///< 1 grey or 3 RGB
  std::vector<std::uint8_t> pixels;  ///< [height, width, channel]

  std::uint8_t at(std::int64_t y, std::int64_t x, std::int64_t channel) const {
    return pixels[static_cast<std::size_t>((y * width_px + x) * n_channels + channel)];
  }
};

}  // namespace cadenza
