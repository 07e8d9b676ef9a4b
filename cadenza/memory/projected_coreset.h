#pragma once

#include <cstdint>
#include <span>
#include <stop_token>

#include <ATen/core/Tensor.h>

namespace cadenza {

/// Picks k rows by greedy k-center on randomly projected rows: PatchCore's "approximate" coreset as
/// UCAD and its descendants use it.
///
/// 1. R = rows W^T.
/// 2. The bound of a row starts as the mean of its distances to the start rows.
/// 3. k times: pick the row of the largest bound; lower every bound to the distance to that row.
///
/// Shapes   rows [N,D] float32; projection W [E,D]; start_rows: numbers of rows, not picked by
/// this;
///          returns [k] int64, distinct unless the rows are equal, in picking order: any prefix is
///          itself what a smaller k would give.
/// Errors   kInvalidArgument: shapes, k not in [1,N], a start row outside. kCancelled.
/// Cost     O(k N E) time, O(N E) memory.
/// Source   Roth et al., CVPR 2022, section 3.2; ucad specification 1.7.
/// Differs  row norms are computed once, and the three passes of a pick are one.
at::Tensor select_projected_coreset(const at::Tensor& rows, const at::Tensor& projection,
                                    std::span<const std::int64_t> start_rows, std::int64_t k,
                                    std::stop_token stop = {});

}  // namespace cadenza
