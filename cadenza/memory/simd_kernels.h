#pragma once

// The kernels of simd.h over a vector type, included once for each instruction set. Nothing of the
// standard library is included here: an inline function compiled for AVX-512 could be the copy that
// the linker keeps for everybody.

#include <cstdint>

#include "cadenza/memory/simd.h"

namespace cadenza {
namespace {

/// kQueries queries against every panel: kQueries x kPanelRows running sums stay in registers.
template <class Vector, int kQueries>
void nearest_block(const float* queries, std::int64_t dim, const float* panels,
                   const float* half_norms, std::int64_t n_panels, float* smallest,
                   std::int32_t* entry) {
  constexpr int kVectors = static_cast<int>(kPanelRows) / Vector::kLanes;
  Vector best[kQueries][kVectors], best_panel[kQueries][kVectors];
  for (int query = 0; query < kQueries; ++query) {
    for (int v = 0; v < kVectors; ++v) {
      best[query][v] = Vector::all(__builtin_inff());
      best_panel[query][v] = Vector::all(0);
    }
  }
  for (std::int64_t panel = 0; panel < n_panels; ++panel) {
    const float* columns = panels + panel * dim * kPanelRows;
    Vector sum[kQueries][kVectors];
#pragma GCC unroll 8
    for (int query = 0; query < kQueries; ++query) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[query][v] = Vector::all(0);
    }
    for (std::int64_t column = 0; column < dim; ++column) {
      Vector row[kVectors];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        row[v] = Vector::load(columns + column * kPanelRows + v * Vector::kLanes);
      }
#pragma GCC unroll 8
      for (int query = 0; query < kQueries; ++query) {
        const Vector value = Vector::all(queries[query * dim + column]);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
          sum[query][v] = Vector::multiply_add(value, row[v], sum[query][v]);
        }
      }
    }
    const float* norms = half_norms + panel * kPanelRows;
    const Vector this_panel = Vector::all(static_cast<float>(panel));
#pragma GCC unroll 8
    for (int query = 0; query < kQueries; ++query) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        const Vector score =
            Vector::subtract(Vector::load(norms + v * Vector::kLanes), sum[query][v]);
        Vector::keep_smaller(score, this_panel, best[query][v], best_panel[query][v]);
      }
    }
  }
  // Across the lanes: the smallest, and of equals the entry that comes first.
  for (int query = 0; query < kQueries; ++query) {
    float least = __builtin_inff();
    std::int32_t least_entry = 0;
    for (int v = 0; v < kVectors; ++v) {
      float scores[Vector::kLanes], in_panel[Vector::kLanes];
      best[query][v].store(scores);
      best_panel[query][v].store(in_panel);
      for (int lane = 0; lane < Vector::kLanes; ++lane) {
        const std::int32_t candidate =
            static_cast<std::int32_t>(in_panel[lane]) * static_cast<std::int32_t>(kPanelRows) +
            v * Vector::kLanes + lane;
        if (scores[lane] < least || (scores[lane] == least && candidate < least_entry)) {
          least = scores[lane];
          least_entry = candidate;
        }
      }
    }
    smallest[query] = least;
    entry[query] = least_entry;
  }
}

template <class Vector>
void nearest(const float* queries, std::int64_t n_queries, std::int64_t dim, const float* panels,
             const float* half_norms, std::int64_t n_panels, float* smallest, std::int32_t* entry) {
  constexpr int kBlock = Vector::kLanes / 2 < 8 ? 2 : 8;  // what fits 16 or 32 registers
  std::int64_t query = 0;
  for (; query + kBlock <= n_queries; query += kBlock) {
    nearest_block<Vector, kBlock>(queries + query * dim, dim, panels, half_norms, n_panels,
                                  smallest + query, entry + query);
  }
  for (; query < n_queries; ++query) {
    nearest_block<Vector, 1>(queries + query * dim, dim, panels, half_norms, n_panels,
                             smallest + query, entry + query);
  }
}

/// The smallest |row - pick|^2 over kPicks picks.
template <class Vector, int kPicks>
float least_square(const float* row, const float* picks, std::int64_t dim, float least) {
  Vector sum[kPicks];
#pragma GCC unroll 4
  for (int pick = 0; pick < kPicks; ++pick) sum[pick] = Vector::all(0);
  std::int64_t column = 0;
  for (; column + Vector::kLanes <= dim; column += Vector::kLanes) {
    const Vector values = Vector::load(row + column);
#pragma GCC unroll 4
    for (int pick = 0; pick < kPicks; ++pick) {
      const Vector difference = Vector::subtract(values, Vector::load(picks + pick * dim + column));
      sum[pick] = Vector::multiply_add(difference, difference, sum[pick]);
    }
  }
  for (int pick = 0; pick < kPicks; ++pick) {
    float lanes[Vector::kLanes];
    sum[pick].store(lanes);
    for (int width = Vector::kLanes / 2; width > 0; width /= 2) {
      for (int lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
    }
    float total = lanes[0];
    for (std::int64_t rest = column; rest < dim; ++rest) {
      const float difference = row[rest] - picks[pick * dim + rest];
      total += difference * difference;
    }
    least = total < least ? total : least;
  }
  return least;
}

template <class Vector>
void lower_minima(const float* rows, std::int64_t n_rows, std::int64_t dim, const float* picks,
                  std::int64_t n_picks, float* minima) {
  for (std::int64_t r = 0; r < n_rows; ++r) {
    const float* row = rows + r * dim;
    float least = minima[r];
    std::int64_t pick = 0;
    for (; pick + 4 <= n_picks; pick += 4) {
      least = least_square<Vector, 4>(row, picks + pick * dim, dim, least);
    }
    for (; pick < n_picks; ++pick) {
      least = least_square<Vector, 1>(row, picks + pick * dim, dim, least);
    }
    minima[r] = least;
  }
}

}  // namespace
}  // namespace cadenza
