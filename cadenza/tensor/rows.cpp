#include "cadenza/tensor/rows.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace cadenza {

void planes_to_rows(std::span<const float> planes, std::int64_t n_channels, std::span<float> rows) {
  constexpr std::int64_t kTile = 16;  // a cache line of every plane at a time
  const auto n_cells = static_cast<std::int64_t>(planes.size()) / n_channels;
  for (std::int64_t first = 0; first < n_cells; first += kTile) {
    const auto last = std::min(first + kTile, n_cells);
    for (std::int64_t channel = 0; channel < n_channels; ++channel) {
      const float* const from = planes.data() + channel * n_cells;
      float* const to = rows.data() + channel;
      for (auto cell = first; cell < last; ++cell) to[cell * n_channels] = from[cell];
    }
  }
}

void to_unit_length(std::span<const float> rows, std::int64_t dim, std::span<float> unit) {
  constexpr std::int64_t kLanes = 16;
  const auto n_rows = static_cast<std::int64_t>(rows.size()) / dim;
  for (std::int64_t row = 0; row < n_rows; ++row) {
    const float* const from = rows.data() + row * dim;
    float* const to = unit.data() + row * dim;
    std::array<float, kLanes> sums{};
    std::int64_t at = 0;
    for (; at + kLanes <= dim; at += kLanes) {
      for (std::int64_t lane = 0; lane < kLanes; ++lane) {
        sums[std::size_t(lane)] += from[at + lane] * from[at + lane];
      }
    }
    double squares = 0;
    for (; at < dim; ++at) squares += double{from[at]} * double{from[at]};
    for (const float sum : sums) squares += double{sum};
    const auto length = static_cast<float>(std::max(std::sqrt(squares), 1e-12));
    for (at = 0; at < dim; ++at) to[at] = from[at] / length;
  }
}

void add_scaled(std::span<const float> values, float gain, float shift, std::span<float> sums) {
  const float* const from = values.data();
  float* const to = sums.data();
  const auto count = static_cast<std::int64_t>(sums.size());
  for (std::int64_t at = 0; at < count; ++at) to[at] += gain * from[at] + shift;
}

void stretch(std::span<const float> cells, std::span<const std::int64_t> begin,
             std::span<const float> fraction, std::span<float> stretched) {
  const float* const part = fraction.data();
  float* const to = stretched.data();
  for (std::size_t cell = 0; cell < cells.size(); ++cell) {
    const float left = cells[cell];
    const float rise = cells[std::min(cell + 1, cells.size() - 1)] - left;
    for (auto at = begin[cell]; at < begin[cell + 1]; ++at) to[at] = left + part[at] * rise;
  }
}

bool all_finite(std::span<const float> values) {
  int n_others = 0;
  for (const float value : values) {
    n_others += std::abs(value) <= std::numeric_limits<float>::max() ? 0 : 1;
  }
  return n_others == 0;
}

}  // namespace cadenza
