#include "cadenza/continual/gpm/basis.h"

#include <ATen/ATen.h>
#include <c10/util/Exception.h>

#include "cadenza/base/error.h"
#include "cadenza/tensor/shape.h"

namespace cadenza {

namespace {

/// How many leading directions to take: their energies, in descending order, are added to
/// `explained` until the threshold is reached.
std::int64_t rank_of(const at::Tensor& energies, double explained, double threshold, RankRule rule,
                     bool is_first_task) {
  const auto* const energy = energies.const_data_ptr<double>();
  if (!is_first_task) {
    // The authors' program adds directions while the sum is still below the threshold.
    std::int64_t rank = 0;
    for (; rank < energies.numel() && explained < threshold; ++rank) explained += energy[rank];
    return rank;
  }
  std::int64_t rank = 0;
  for (; rank < energies.numel(); ++rank) {
    explained += energy[rank];
    if (explained >= threshold) break;
  }
  return rule == RankRule::kPaper ? std::min(rank + 1, energies.numel()) : rank;
}

/// Ascending eigenvalues and their vectors of a positive semi-definite [d,d]. LAPACK's divide and
/// conquer gives up on some matrices of low rank; their singular values are the same numbers.
std::tuple<at::Tensor, at::Tensor> spectrum(const at::Tensor& squared) {
  try {
    return at::linalg_eigh(squared);
  } catch (const c10::LinAlgError&) {
    const auto [vectors, values, unused] = at::linalg_svd(squared);
    return {values.flip(0), vectors.flip(1)};
  }
}

}  // namespace

at::Tensor extend_basis(const at::Tensor& basis, const at::Tensor& inputs, double threshold,
                        RankRule rule) {
  require_shape(inputs, {kAnySize, kAnySize}, "inputs [d,n]");
  if (basis.defined()) require_shape(basis, {inputs.size(0), kAnySize}, "basis [d,r]");
  at::Tensor rest = inputs.to(at::kDouble);
  CADENZA_REQUIRE(rest.isfinite().all().item<bool>(), ErrorCode::kNumeric,
                  "gpm: NaN or Inf in the input of a layer");
  const double total = rest.square().sum().item<double>();
  const bool is_first_task = !basis.defined();
  if (!is_first_task) rest = rest - basis.matmul(basis.t().matmul(rest));
  const double explained = total > 0 ? 1 - rest.square().sum().item<double>() / total : 1;

  // Left singular vectors of `rest` from the d x d matrix: n is usually the longer side.
  const auto [values, vectors] = spectrum(rest.matmul(rest.t()));
  const at::Tensor energies =
      total > 0 ? (values.flip(0).clamp_min(0) / total).contiguous() : at::zeros({0}, at::kDouble);
  const auto rank =
      rank_of(energies, is_first_task ? 0 : explained, threshold, rule, is_first_task);
  const at::Tensor added = vectors.flip(1).slice(1, 0, rank);
  if (is_first_task) return added.contiguous();
  const at::Tensor together = at::cat({basis, added}, 1);
  return together.slice(1, 0, std::min(together.size(1), together.size(0))).contiguous();
}

at::Tensor project_out(const at::Tensor& update, const at::Tensor& basis) {
  require_shape(update, {kAnySize, basis.size(0)}, "update [d_out,d]");
  const at::Tensor directions = basis.to(update.scalar_type());
  return update - update.matmul(directions).matmul(directions.t());
}

}  // namespace cadenza
