#pragma once

#include <cstdint>

namespace cadenza {

/// Entries that are searched side by side. A panel holds kPanelRows rows column by column:
/// [D, kPanelRows] floats.
inline constexpr std::int64_t kPanelRows = 32;

/// The loops that take the time, compiled once for each instruction set. Every number is a chain of
/// multiply-adds in the order of the columns, so it depends neither on the other rows of a call nor
/// on how calls are split between threads.
struct SimdKernels {
  /// For each query the smallest half_norms[e] - q.e over the entries e and the lowest e that has
  /// it. queries [n_queries,dim]; panels [n_panels,dim,kPanelRows]; half_norms
  /// [n_panels*kPanelRows], infinite for an entry to skip. None left: +inf and entry 0.
  void (*nearest)(const float* queries, std::int64_t n_queries, std::int64_t dim,
                  const float* panels, const float* half_norms, std::int64_t n_panels,
                  float* smallest, std::int32_t* entry);

  /// minima[r] = min(minima[r], |rows[r] - picks[p]|^2 over p). rows [n_rows,dim], picks
  /// [n_picks,dim]. Exactly 0 for equal rows.
  void (*lower_minima)(const float* rows, std::int64_t n_rows, std::int64_t dim, const float* picks,
                       std::int64_t n_picks, float* minima);
};

SimdKernels avx2_kernels() noexcept;
SimdKernels avx512_kernels() noexcept;

/// Those of this processor.
const SimdKernels& simd_kernels() noexcept;

}  // namespace cadenza
