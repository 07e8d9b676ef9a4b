#include "cadenza/continual/agem/projection.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

namespace cadenza {

bool project_conflicting(std::span<const at::Tensor> gradient,
                         std::span<const at::Tensor> reference) {
  const c10::NoGradGuard no_grad;
  double dot = 0, square = 0;
  for (std::size_t index = 0; index < gradient.size(); ++index) {
    dot += (gradient[index] * reference[index]).sum(at::kDouble).item<double>();
    square += reference[index].square().sum(at::kDouble).item<double>();
  }
  if (dot >= 0 || square == 0) return false;
  for (std::size_t index = 0; index < gradient.size(); ++index) {
    gradient[index].sub_(reference[index], dot / square);
  }
  return true;
}

}  // namespace cadenza
