#include "cadenza/structure/smooth.h"

#include <cmath>

namespace cadenza {

namespace {

std::vector<double> gaussian_taps(double sigma) {
  const auto radius = static_cast<int>(4 * sigma + 0.5);
  std::vector<double> taps;
  double sum = 0;
  for (int offset = -radius; offset <= radius; ++offset) {
    taps.push_back(std::exp(-0.5 * offset * offset / (sigma * sigma)));
    sum += taps.back();
  }
  for (double& tap : taps) tap /= sum;
  return taps;
}

/// ... c b a | a b c ... x y z | z y x ...
std::int64_t mirrored(std::int64_t index, std::int64_t size) {
  const std::int64_t period = 2 * size;
  index = ((index % period) + period) % period;
  return index < size ? index : period - 1 - index;
}

}  // namespace

Planes smooth(const Planes& picture, double sigma) {
  if (sigma <= 0) return picture;
  const auto taps = gaussian_taps(sigma);
  const auto radius = static_cast<std::int64_t>(taps.size() / 2);
  const auto pass = [&](const Planes& from, bool is_vertical) {
    Planes to = from;
    for (std::int64_t y = 0; y < from.height_px; ++y) {
      for (std::int64_t x = 0; x < from.width_px; ++x) {
        double* const sums = to.at(y, x);
        for (std::int64_t channel = 0; channel < from.n_channels; ++channel) sums[channel] = 0;
        for (std::int64_t offset = -radius; offset <= radius; ++offset) {
          const double* const source = is_vertical
                                           ? from.at(mirrored(y + offset, from.height_px), x)
                                           : from.at(y, mirrored(x + offset, from.width_px));
          const double tap = taps[static_cast<std::size_t>(offset + radius)];
          for (std::int64_t channel = 0; channel < from.n_channels; ++channel) {
            sums[channel] += tap * source[channel];
          }
        }
      }
    }
    return to;
  };
  return pass(pass(picture, true), false);
}

}  // namespace cadenza
