#pragma once

#include <cstdint>
#include <span>

namespace cadenza {

/// Means over squares of 2 radius + 1 cells, edges mirrored with the edge cell (half-sample
/// symmetric). `in` and `out` are [height,width], `out` must not overlap `in`; radius <= both
/// sides. Sums are taken anew for every cell: no error runs along.
void box_mean(std::span<const float> in, std::int64_t height, std::int64_t width, int radius,
              std::span<float> out);

}  // namespace cadenza
