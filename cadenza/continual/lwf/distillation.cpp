#include "cadenza/continual/lwf/distillation.h"

#include <ATen/ATen.h>

#include "cadenza/tensor/shape.h"

namespace cadenza {

at::Tensor distillation_loss(const at::Tensor& teacher, const at::Tensor& student,
                             double temperature) {
  require_shape(student, {kAnySize, kAnySize}, "student [B,K]");
  require_shape(teacher, {student.size(0), student.size(1)}, "teacher [B,K]");
  const at::Tensor wanted = (teacher / temperature).log_softmax(1);
  const at::Tensor found = (student / temperature).log_softmax(1);
  const at::Tensor divergence = (wanted.exp() * (wanted - found)).sum(1).mean();
  return temperature * temperature * divergence;
}

}  // namespace cadenza
