#include "cadenza/tensor/box_mean.h"

#include <vector>

namespace cadenza {
namespace {

std::int64_t mirrored(std::int64_t position, std::int64_t size) {
  if (position < 0) return -1 - position;
  return position < size ? position : 2 * size - 1 - position;
}

}  // namespace

void box_mean(std::span<const float> in, std::int64_t height, std::int64_t width, int radius,
              std::span<float> out) {
  // Down the columns: whole rows are added, into a row with room for the mirrored edges. Then along
  // it: the same row is added to itself, shifted.
  std::vector<float> padded(static_cast<std::size_t>(width + 2 * radius));
  float* const centre = padded.data() + radius;
  const float scale = 1.0F / static_cast<float>((2 * radius + 1) * (2 * radius + 1));
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) centre[x] = 0;
    for (std::int64_t dy = -radius; dy <= radius; ++dy) {
      const float* row = in.data() + mirrored(y + dy, height) * width;
      for (std::int64_t x = 0; x < width; ++x) centre[x] += row[x];
    }
    for (std::int64_t x = 1; x <= radius; ++x) {
      centre[-x] = centre[mirrored(-x, width)];
      centre[width - 1 + x] = centre[mirrored(width - 1 + x, width)];
    }
    float* target = out.data() + y * width;
    for (std::int64_t x = 0; x < width; ++x) target[x] = 0;
    for (std::int64_t dx = 0; dx <= 2 * radius; ++dx) {
      const float* row = padded.data() + dx;
      for (std::int64_t x = 0; x < width; ++x) target[x] += row[x];
    }
    for (std::int64_t x = 0; x < width; ++x) target[x] *= scale;
  }
}

}  // namespace cadenza
