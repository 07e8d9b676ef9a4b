#include "cadenza/memory/gaussian.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/tensor/shape.h"

namespace cadenza {

ShrunkCovariance ledoit_wolf(const at::Tensor& rows) {
  require_shape(rows, {kAnySize, kAnySize}, "rows [n,D]");
  CADENZA_REQUIRE(rows.size(0) >= 1, ErrorCode::kInvalidArgument, "ledoit_wolf: no rows");
  const at::Tensor x = rows.to(at::kDouble);
  CADENZA_REQUIRE(x.isfinite().all().item<bool>(), ErrorCode::kNumeric,
                  "ledoit_wolf: NaN or Inf among the rows");
  const double n = double(x.size(0)), p = double(x.size(1));
  const at::Tensor mean = x.mean(0);
  const at::Tensor centred = x - mean;
  const at::Tensor scatter = centred.t().matmul(centred);
  const at::Tensor squared = centred.square();
  const double scatter_norm = scatter.square().sum().item<double>();
  const double mu = scatter.trace().item<double>() / n / p;

  // beta: how far the empirical covariance is off; delta: how far it is from mu I.
  const double fourth = squared.t().matmul(squared).sum().item<double>();
  const double beta_raw = (fourth / n - scatter_norm / (n * n)) / (p * n);
  const double delta = (scatter_norm / (n * n) - 2 * mu * (mu * p) + p * mu * mu) / p;
  const double beta = std::min(beta_raw, delta);
  const double shrinkage = beta == 0 || delta == 0 ? 0 : beta / delta;

  at::Tensor covariance = scatter * ((1 - shrinkage) / n);
  covariance.diagonal().add_(shrinkage * mu);
  return {mean, covariance, shrinkage, x.size(0)};
}

PrecisionRule PrecisionRule::f32_pinv(std::int64_t n_dimensions) {
  return {.relative_cut = double(n_dimensions) * std::ldexp(1., -23)};
}

GaussianDensity::GaussianDensity(const at::Tensor& mean, const at::Tensor& covariance,
                                 PrecisionRule rule)
    : mean_(mean.to(at::kDouble)) {
  require_shape(covariance, {mean.size(0), mean.size(0)}, "covariance [D,D]");
  const auto [values, vectors] = at::linalg_eigh(covariance.to(at::kDouble));
  const double largest = std::max(values.max().item<double>(), 0.);
  const at::Tensor is_kept = values > rule.relative_cut * largest;
  const at::Tensor kept = is_kept.nonzero().squeeze(1);
  whitening_ = vectors.index_select(1, kept) / values.index_select(0, kept).sqrt();
}

at::Tensor GaussianDensity::distances(const at::Tensor& rows) const {
  CADENZA_REQUIRE(is_fitted(), ErrorCode::kInvalidArgument, "a density without data cannot score");
  require_shape(rows, {kAnySize, mean_.size(0)}, "rows [n,D]");
  return (rows.to(at::kDouble) - mean_).matmul(whitening_).norm(2, 1);
}

at::Tensor symmetric_root(const at::Tensor& covariance) {
  const auto [values, vectors] = at::linalg_eigh(covariance.to(at::kDouble));
  return (vectors * values.clamp_min(0).sqrt()).matmul(vectors.t());
}

at::Tensor singular_root(const at::Tensor& covariance) {
  const auto [u, values, v] = at::linalg_svd(covariance.to(at::kDouble));
  return values.sqrt().unsqueeze(1) * v;
}

at::Tensor unit_rows(const at::Tensor& rows) {
  return rows / rows.norm(2, {1}, true).clamp_min(1e-12);
}

}  // namespace cadenza
