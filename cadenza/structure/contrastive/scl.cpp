#include "cadenza/structure/contrastive/scl.h"

#include <ATen/ATen.h>

#include "cadenza/tensor/shape.h"

namespace cadenza {

at::Tensor structure_contrastive_loss(const at::Tensor& features, const at::Tensor& labels,
                                      double temperature) {
  require_shape(features, {kAnySize, kAnySize, kAnySize}, "features [B,N,D]");
  require_shape(labels, {features.size(0), features.size(1)}, "labels [B,N]");
  const at::Tensor unit = features / features.norm(2, {2}, true).clamp_min(1e-12);
  const at::Tensor similarity = at::bmm(unit, unit.transpose(1, 2)) / temperature;
  const at::Tensor is_same = labels.unsqueeze(2) == labels.unsqueeze(1);
  return at::where(is_same, -similarity, similarity.exp()).mean();
}

}  // namespace cadenza
