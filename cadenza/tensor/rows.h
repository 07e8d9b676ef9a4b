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

/// Between neighbouring cells: stretched[x] = cells[c] + fraction[x] (cells[c + 1] - cells[c]) for
/// x in [begin[c], begin[c + 1]); the last cell stands for the one after it. Others stay as they
/// are. Shapes   cells [n], begin [n+1], fraction and stretched of one length.
void stretch(std::span<const float> cells, std::span<const std::int64_t> begin,
             std::span<const float> fraction, std::span<float> stretched);

/// Whether no number is NaN or infinite.
bool all_finite(std::span<const float> values);

}  // namespace cadenza
