#include "cadenza/continual/moment_optimizer.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "cadenza/base/error.h"

namespace cadenza {

MomentOptimizer::MomentOptimizer(const OptimizerSpec& spec, std::vector<std::string> names,
                                 std::vector<at::Tensor> parameters)
    : spec_(spec) {
  CADENZA_REQUIRE(!parameters.empty(), ErrorCode::kInvalidArgument,
                  "optimizer: no parameters to train");
  CADENZA_REQUIRE(spec.learning_rate >= 0 && spec.weight_decay >= 0 && spec.epsilon >= 0,
                  ErrorCode::kInvalidArgument,
                  "optimizer: learning rate, weight decay and epsilon must not be negative");
  for (std::size_t index = 0; index < parameters.size(); ++index) {
    slots_.push_back({.name = std::move(names[index]), .parameter = std::move(parameters[index])});
  }
}

void MomentOptimizer::stop(const std::string& name, Stopped how) {
  (how == Stopped::kStays ? staying_ : leaking_).insert(name);
}

void MomentOptimizer::forget() {
  for (auto& slot : slots_) slot.first = slot.second = slot.steps = at::Tensor();
}

void MomentOptimizer::step(double learning_rate_factor) {
  const c10::NoGradGuard no_grad;
  std::vector<Slot*> moving;
  for (auto& slot : slots_) {
    if (staying_.contains(slot.name)) continue;
    auto& gradient = slot.parameter.mutable_grad();
    if (leaking_.contains(slot.name)) gradient = at::zeros_like(slot.parameter);
    if (!gradient.defined()) continue;
    if (!slot.steps.defined()) {
      slot.steps = at::zeros({}, at::kFloat);
      slot.first = at::zeros_like(slot.parameter);
      if (spec_.kind != OptimizerKind::kSgd) slot.second = at::zeros_like(slot.parameter);
    }
    moving.push_back(&slot);
  }
  if (moving.empty()) return;
  const double rate = spec_.learning_rate * learning_rate_factor;
  spec_.kind == OptimizerKind::kSgd ? step_sgd(moving, rate) : step_adam(moving, rate);
}

void MomentOptimizer::step_adam(const std::vector<Slot*>& slots, double rate) {
  std::vector<at::Tensor> parameters, gradients, first, second, steps;
  for (auto* const slot : slots) {
    slot->steps += 1;
    parameters.push_back(slot->parameter);
    gradients.push_back(slot->parameter.grad().contiguous());
    first.push_back(slot->first);
    second.push_back(slot->second);
    steps.push_back(slot->steps);
  }
  if (spec_.kind == OptimizerKind::kAdamW) {
    at::_fused_adamw_(parameters, gradients, first, second, {}, steps, rate, spec_.beta1,
                      spec_.beta2, spec_.weight_decay, spec_.epsilon, false, false);
  } else {
    at::_fused_adam_(parameters, gradients, first, second, {}, steps, rate, spec_.beta1,
                     spec_.beta2, spec_.weight_decay, spec_.epsilon, false, false);
  }
}

void MomentOptimizer::step_sgd(const std::vector<Slot*>& slots, double rate) {
  for (auto* const slot : slots) {
    const auto gradient = slot->parameter.grad().add(slot->parameter, spec_.weight_decay);
    slot->first.mul_(spec_.momentum).add_(gradient);  // the first step: the gradient itself
    slot->parameter.sub_(slot->first, rate);
    slot->steps += 1;
  }
}

void MomentOptimizer::save(const std::string& prefix, StatePiece& out) const {
  for (const auto& slot : slots_) {
    if (!slot.steps.defined()) continue;
    const auto key = prefix + slot.name;
    out.tensors[key + ".first"] = slot.first.to(at::kCPU).clone();
    if (slot.second.defined()) out.tensors[key + ".second"] = slot.second.to(at::kCPU).clone();
    out.tensors[key + ".steps"] = slot.steps.clone();
  }
}

void MomentOptimizer::load(const std::string& prefix, PieceReader& in) {
  forget();
  for (auto& slot : slots_) {
    const auto key = prefix + slot.name;
    if (!in.has_tensor(key + ".steps")) continue;
    const auto device = slot.parameter.device();
    slot.first = in.tensor(key + ".first").to(device).clone();
    if (spec_.kind != OptimizerKind::kSgd) {
      slot.second = in.tensor(key + ".second").to(device).clone();
    }
    slot.steps = in.tensor(key + ".steps").clone();
    CADENZA_REQUIRE(slot.first.sizes() == slot.parameter.sizes(), ErrorCode::kCorruptData,
                    "state: '", key, ".first': expected ", slot.parameter.sizes(), ", found ",
                    slot.first.sizes());
  }
}

}  // namespace cadenza
