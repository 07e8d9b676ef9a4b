#pragma once

#include <cstdint>
#include <vector>

namespace cadenza {

/// A picture in double precision, channels interleaved: [height, width, channel].
struct Planes {
  std::int64_t height_px = 0;
  std::int64_t width_px = 0;
  std::int64_t n_channels = 0;
  std::vector<double> values;

  double* at(std::int64_t y, std::int64_t x) {
    return values.data() + (y * width_px + x) * n_channels;
  }
  const double* at(std::int64_t y, std::int64_t x) const {
    return values.data() + (y * width_px + x) * n_channels;
  }
};

/// Gaussian of `sigma` pixels, cut at 4 sigma, edges mirrored including the edge pixel (scipy's
/// `reflect`), each channel alone. sigma 0 returns the picture.
Planes smooth(const Planes& picture, double sigma);

}  // namespace cadenza
