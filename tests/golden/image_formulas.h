#pragma once

#include <cstdint>
#include <functional>
#include <numeric>

#include "cadenza/image/image.h"

namespace cadenza {

/// A picture from a formula over (y, x, channel).
inline Image draw(std::int64_t height, std::int64_t width, std::int64_t n_channels,
                  const std::function<std::int64_t(std::int64_t, std::int64_t, std::int64_t)>& at) {
  Image image{height, width, n_channels, {}};
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      for (std::int64_t c = 0; c < n_channels; ++c) {
        image.pixels.push_back(static_cast<std::uint8_t>(at(y, x, c)));
      }
    }
  }
  return image;
}

inline std::int64_t pixel_sum(const Image& image) {
  return std::accumulate(image.pixels.begin(), image.pixels.end(), std::int64_t{0});
}

}  // namespace cadenza
