#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace cadenza::routed_memory {

/// What a product's normal cells of one layer look like together: their Gaussian.
struct MapView {
  std::int64_t n_cells = 0;
  at::Tensor mean;        ///< [d] float32
  at::Tensor covariance;  ///< [d(d+1)/2] float32, the lower triangle by rows (divisor n_cells)
  double centre = 0, spread = 1;  ///< A_t, B_t: of distance() over the cells that were learned
  at::Tensor whitening;           ///< [d,d] float32, derived: (lower Cholesky factor)^-1
};

/// Sums over cells, in float64.
class MapViewSums {
 public:
  /// Shapes   cells [n,d] float32.
  void add(const at::Tensor& cells);
  /// centre and spread are the caller's to set. Errors: kNumeric: no cell was added.
  MapView view() const;

 private:
  std::int64_t n_cells_ = 0;
  at::Tensor sum_, products_;  // [d], [d,d] float64
};

/// Sets `whitening` from `covariance`: C is shrunk to 0.995 C + (0.005 trace(C)/d + 1e-7) I, which
/// has a Cholesky factor also where cells are equal.
void derive_whitening(MapView& view);

/// u(cell) = |L^-1 (cell - mean)|, the Mahalanobis distance.
/// Shapes   cells [n,d] -> [n] float32.
at::Tensor distance(const MapView& view, const at::Tensor& cells);

}  // namespace cadenza::routed_memory
