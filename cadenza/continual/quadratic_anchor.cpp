#include "cadenza/continual/quadratic_anchor.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "cadenza/base/error.h"

namespace cadenza {

std::vector<at::Tensor> snapshot(std::span<const at::Tensor> parameters) {
  std::vector<at::Tensor> copies;
  for (const auto& parameter : parameters) copies.push_back(parameter.detach().clone());
  return copies;
}

void QuadraticAnchor::add(std::span<const at::Tensor> importance,
                          std::span<const at::Tensor> centre) {
  const c10::NoGradGuard no_grad;
  CADENZA_REQUIRE(
      importance.size() == centre.size() && (empty() || weight_.size() == centre.size()),
      ErrorCode::kInvalidArgument, "QuadraticAnchor: ", importance.size(), " importances, ",
      centre.size(), " centres, ", weight_.size(), " parameters");
  if (empty()) {
    for (const auto& point : centre) {
      weight_.push_back(at::zeros_like(point));
      centre_.push_back(point.clone());
    }
  }
  for (std::size_t index = 0; index < weight_.size(); ++index) {
    const auto& added = importance[index];
    const at::Tensor total = weight_[index] + added;
    const at::Tensor shift = centre[index] - centre_[index];
    // A (x-c)^2 + F (x-t)^2 = (A+F)(x-c')^2 + A F / (A+F) (c-t)^2
    const at::Tensor share = at::where(total > 0, added / total, at::zeros_like(total));
    constant_ += (weight_[index] * share * shift.square()).sum().item<double>();
    centre_[index] = at::where(total > 0, centre_[index] + share * shift, centre[index]);
    weight_[index] = total;
  }
}

void QuadraticAnchor::decay(double factor) {
  for (auto& weight : weight_) weight = weight * factor;
  constant_ *= factor;
}

void QuadraticAnchor::move_centre(std::span<const at::Tensor> centre) {
  centre_.clear();
  for (const auto& point : centre) centre_.push_back(point.detach().clone());
  constant_ = 0;
}

at::Tensor QuadraticAnchor::penalty(std::span<const at::Tensor> parameters) const {
  if (empty()) return {};
  at::Tensor sum;
  for (std::size_t index = 0; index < weight_.size(); ++index) {
    const at::Tensor term = (weight_[index] * (parameters[index] - centre_[index]).square()).sum();
    sum = sum.defined() ? sum + term : term;
  }
  return sum + constant_;
}

void QuadraticAnchor::save(const std::string& prefix, StatePiece& out) const {
  save_list(prefix + "weight.", weight_, out);
  save_list(prefix + "centre.", centre_, out);
  out.tensors[prefix + "constant"] = at::scalar_tensor(constant_, at::kDouble);
}

void QuadraticAnchor::load(const std::string& prefix, PieceReader& in) {
  weight_ = load_list(prefix + "weight.", in);
  centre_ = load_list(prefix + "centre.", in);
  constant_ = in.tensor(prefix + "constant").item<double>();
}

void save_list(const std::string& prefix, std::span<const at::Tensor> tensors, StatePiece& out) {
  for (std::size_t index = 0; index < tensors.size(); ++index) {
    out.tensors[cat(prefix, index)] = tensors[index];
  }
}

std::vector<at::Tensor> load_list(const std::string& prefix, PieceReader& in) {
  std::vector<at::Tensor> tensors;
  while (in.has_tensor(cat(prefix, tensors.size()))) {
    tensors.push_back(in.tensor(cat(prefix, tensors.size())));
  }
  return tensors;
}

}  // namespace cadenza
