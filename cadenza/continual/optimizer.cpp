// The only file of the library that sees torch::optim: its headers take 12 s to compile.
#include "cadenza/continual/optimizer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include "cadenza/base/error.h"
#include "cadenza/base/suggest.h"

namespace cadenza {
namespace {

template <class TorchOptimizer, class TorchOptions>
class WrappedOptimizer final : public Optimizer {
 public:
  WrappedOptimizer(const std::vector<at::Tensor>& parameters, const TorchOptions& options)
      : learning_rate_(options.lr()), optimizer_(parameters, options) {}

  void step(double learning_rate_factor) override {
    for (auto& group : optimizer_.param_groups()) {
      group.options().set_lr(learning_rate_ * learning_rate_factor);
    }
    optimizer_.step();
  }

 private:
  double learning_rate_;
  TorchOptimizer optimizer_;
};

template <class TorchOptions>
TorchOptions adam_options(const OptimizerSpec& spec) {
  return TorchOptions(spec.learning_rate)
      .betas({spec.beta1, spec.beta2})
      .eps(spec.epsilon)
      .weight_decay(spec.weight_decay);
}

}  // namespace

OptimizerKind parse_optimizer_kind(const std::string& name) {
  if (name == "sgd") return OptimizerKind::kSgd;
  if (name == "adam") return OptimizerKind::kAdam;
  if (name == "adamw") return OptimizerKind::kAdamW;
  const std::vector<std::string> known = {"adam", "adamw", "sgd"};
  throw Error(ErrorCode::kInvalidArgument, unknown_name_message("optimizer", name, known));
}

std::unique_ptr<Optimizer> make_optimizer(const OptimizerSpec& spec,
                                          const std::vector<at::Tensor>& parameters) {
  CADENZA_REQUIRE(!parameters.empty(), ErrorCode::kInvalidArgument,
                  "optimizer: no parameters to train");
  CADENZA_REQUIRE(spec.learning_rate >= 0 && spec.weight_decay >= 0 && spec.epsilon >= 0,
                  ErrorCode::kInvalidArgument,
                  "optimizer: learning rate, weight decay and epsilon must not be negative");
  switch (spec.kind) {
    case OptimizerKind::kSgd: {
      const auto options = torch::optim::SGDOptions(spec.learning_rate)
                               .momentum(spec.momentum)
                               .weight_decay(spec.weight_decay);
      return std::make_unique<WrappedOptimizer<torch::optim::SGD, torch::optim::SGDOptions>>(
          parameters, options);
    }
    case OptimizerKind::kAdam:
      return std::make_unique<WrappedOptimizer<torch::optim::Adam, torch::optim::AdamOptions>>(
          parameters, adam_options<torch::optim::AdamOptions>(spec));
    case OptimizerKind::kAdamW:
      return std::make_unique<WrappedOptimizer<torch::optim::AdamW, torch::optim::AdamWOptions>>(
          parameters, adam_options<torch::optim::AdamWOptions>(spec));
  }
  throw Error(ErrorCode::kInternal, "an optimizer kind without a case");
}

double clip_gradients(const std::vector<at::Tensor>& parameters, double max_norm) {
  double sum_of_squares = 0;
  for (const auto& parameter : parameters) {
    if (!parameter.grad().defined()) continue;
    sum_of_squares += std::pow(parameter.grad().norm().item<double>(), 2);
  }
  const double norm = std::sqrt(sum_of_squares);
  const double factor = std::min(1.0, max_norm / (norm + 1e-6));
  for (const auto& parameter : parameters) {
    if (factor < 1 && parameter.grad().defined()) parameter.grad().mul_(factor);
  }
  return norm;
}

}  // namespace cadenza
