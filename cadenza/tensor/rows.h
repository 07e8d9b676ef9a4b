#pragma once

#include <cstdint>
#include <span>

namespace cadenza {

/// A feature map's planes as rows, one a cell.
/// Shapes   planes [C,n] -> rows [n,C].
void planes_to_rows(std::span<const float> planes, std::int64_t n_channels, std::span<float> rows);

/// Every row divided by its length; zeros stay zeros.
/// Shapes   rows [n,dim] -> unit [n,dim].
void to_unit_length(std::span<const float> rows, std::int64_t dim, std::span<float> unit);

/// sums += gain * values + shift, for each.
void add_scaled(std::span<const float> values, float gain, float shift, std::span<float> sums);

/// Whether no number is NaN or infinite.
bool all_finite(std::span<const float> values);

}  // namespace cadenza
