#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace cadenza {

/// Mean and shrunk covariance of rows, in double precision.
struct ShrunkCovariance {
  at::Tensor mean;        ///< [D]
  at::Tensor covariance;  ///< [D,D]
  double shrinkage = 0;   ///< in [0,1]: 0 the empirical covariance, 1 a multiple of the identity
  std::int64_t n_rows = 0;
};

/// The Ledoit-Wolf estimate: the covariance (divided by n) drawn towards its mean eigenvalue by the
/// amount that minimises the expected squared error.
///
/// Shapes   rows [n,D], n >= 1.
/// Errors   kInvalidArgument: shape; kNumeric: NaN or Inf.
/// Cost     O(n D^2).
/// Source   Ledoit & Wolf, "A well-conditioned estimator for large-dimensional covariance
/// matrices",
///          JMVA 2004; equal to scikit-learn's.
ShrunkCovariance ledoit_wolf(const at::Tensor& rows);

/// Which directions of a covariance a distance uses.
struct PrecisionRule {
  /// Eigenvalues at or below `relative_cut` times the largest are left out. 0 keeps all.
  double relative_cut = 0;
  /// What a float32 pseudo-inverse of D x D leaves out (D * 2^-23): the released program's rule.
  static PrecisionRule f32_pinv(std::int64_t n_dimensions);
};

/// A Gaussian ready to score.
class GaussianDensity {
 public:
  GaussianDensity() = default;
  GaussianDensity(const at::Tensor& mean, const at::Tensor& covariance, PrecisionRule rule);

  /// Mahalanobis distances [n] float64 of rows [n,D].
  at::Tensor distances(const at::Tensor& rows) const;

  /// How many of the D directions are used. Print it: it decides more than any other setting
  /// (dne_cl specification 1.9).
  std::int64_t rank() const noexcept { return whitening_.defined() ? whitening_.size(1) : 0; }
  bool is_fitted() const noexcept { return mean_.defined(); }

 private:
  at::Tensor mean_;       // [D]
  at::Tensor whitening_;  // [D,rank]: eigenvectors over the square roots of their eigenvalues
};

/// [D,D]: the unique symmetric S with S S = covariance (negative rounding noise counts as 0).
at::Tensor symmetric_root(const at::Tensor& covariance);

/// U-free root by singular vectors, as numpy draws its normal samples: rows z times this are
/// distributed as the covariance says. Its signs are LAPACK's.
at::Tensor singular_root(const at::Tensor& covariance);

/// Rows divided by max(Euclidean length, 1e-12).
at::Tensor unit_rows(const at::Tensor& rows);

}  // namespace cadenza
