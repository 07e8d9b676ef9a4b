#pragma once

#include <ATen/core/Tensor.h>

namespace cadenza {

enum class RankRule {
  kOfficial,  ///< the number of leading directions whose cumulative energy stays below the
              ///< threshold
  kPaper,     ///< one more: the smallest number that reaches it
};

/// Extends a layer's orthonormal basis of input directions by what the columns of `inputs` add.
///
/// Shapes   inputs [d,n] (one input of the layer a column); basis [d,r], or undefined for the first
///          task; returns [d,r'], r <= r' <= d, orthonormal columns, float64.
/// Errors   kInvalidArgument: shapes; kNumeric: NaN or Inf in inputs.
/// Cost     an eigendecomposition of d x d in double precision.
/// Source   Saha et al., "Gradient Projection Memory for Continual Learning", ICLR 2021, section 4;
///          the rank rule is that of the authors' program.
at::Tensor extend_basis(const at::Tensor& basis, const at::Tensor& inputs, double threshold,
                        RankRule rule);

/// G - G M M^T for a weight or update [d_out, d] against a basis M [d,r].
at::Tensor project_out(const at::Tensor& update, const at::Tensor& basis);

}  // namespace cadenza
