#include "cadenza/method/routed_memory/map_view.h"

#include <ATen/ATen.h>

#include "cadenza/base/error.h"

namespace cadenza::routed_memory {

void MapViewSums::add(const at::Tensor& cells) {
  const auto exact = cells.to(at::kDouble);
  if (n_cells_ == 0) {
    sum_ = exact.sum(0);
    products_ = at::mm(exact.t(), exact);
  } else {
    sum_ += exact.sum(0);
    products_ += at::mm(exact.t(), exact);
  }
  n_cells_ += cells.size(0);
}

MapView MapViewSums::view() const {
  CADENZA_REQUIRE(n_cells_ > 0, ErrorCode::kNumeric, "map statistics of no cell at all");
  const auto n = static_cast<double>(n_cells_);
  const auto mean = sum_ / n;
  const auto covariance = products_ / n - at::outer(mean, mean);
  const auto lower = at::tril_indices(mean.size(0), mean.size(0), 0, at::kLong);
  MapView view{.n_cells = n_cells_,
               .mean = mean.to(at::kFloat),
               .covariance = covariance.index({lower[0], lower[1]}).to(at::kFloat).contiguous()};
  derive_whitening(view);
  return view;
}

void derive_whitening(MapView& view) {
  const auto dim = view.mean.size(0);
  const auto lower = at::tril_indices(dim, dim, 0, at::kLong);
  auto full = at::zeros({dim, dim}, at::kDouble);
  full.index_put_({lower[0], lower[1]}, view.covariance.to(at::kDouble));
  full = full + full.tril(-1).t();
  const double mean_variance = full.trace().item<double>() / static_cast<double>(dim);
  const auto shrunk = 0.995 * full + (0.005 * mean_variance + 1e-7) * at::eye(dim, full.options());
  const auto factor = at::linalg_cholesky(shrunk);
  view.whitening =
      at::linalg_solve_triangular(factor, at::eye(dim, full.options()), /*upper=*/false)
          .to(at::kFloat)
          .contiguous();
}

at::Tensor distance(const MapView& view, const at::Tensor& cells) {
  return at::mm(cells - view.mean, view.whitening.t()).norm(2, {1});
}

}  // namespace cadenza::routed_memory
