#pragma once

#include <ATen/core/Tensor.h>

namespace cadenza {

/// T^2 * KL( softmax(teacher/T) || softmax(student/T) ), mean over rows. Shapes [B,K]; a scalar
/// with the student's graph. The factor T^2 keeps the gradient's size when T changes. Source:
/// Hinton et al. 2015; Li & Hoiem, "Learning without Forgetting", TPAMI 2018.
at::Tensor distillation_loss(const at::Tensor& teacher, const at::Tensor& student,
                             double temperature);

}  // namespace cadenza
