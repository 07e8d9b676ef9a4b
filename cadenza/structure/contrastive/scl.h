#pragma once

#include <ATen/core/Tensor.h>

namespace cadenza {

/// Structure-based contrastive loss: cells of one region attract, cells of different regions repel.
///
/// Shapes   features [B,N,D] float, not normalised; labels [B,N] integer region ids (0 is a region
///          like any other); a scalar with the features' graph.
/// Formula  mean over b and all ordered pairs (p,q), the diagonal included, of  -S_pq  where the
///          labels agree, exp(S_pq) where they differ; S_pq = cosine(p,q) / temperature.
/// Errors   kInvalidArgument: shapes.
/// Source   UCAD, AAAI 2024, section 3.3, in the form of the authors' program (ucad specification
///          2.1): the paper words a plain difference of cosines.
at::Tensor structure_contrastive_loss(const at::Tensor& features, const at::Tensor& labels,
                                      double temperature = 0.5);

}  // namespace cadenza
