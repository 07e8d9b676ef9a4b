#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/base/options.h"

namespace cadenza {

enum class OptimizerKind { kSgd, kAdam, kAdamW };

/// A rule that turns gradients into steps, as torch.optim defines it.
struct OptimizerSpec {
  OptimizerKind kind = OptimizerKind::kAdam;
  double learning_rate = 1e-4;
  double weight_decay = 0;  ///< sgd, adam: added to the gradient; adamw: shrinks the parameter
  double momentum = 0;      ///< sgd
  double beta1 = 0.9;       ///< adam, adamw
  double beta2 = 0.999;     ///< adam, adamw
  double epsilon = 1e-8;    ///< adam, adamw
};

/// Errors: kInvalidArgument listing the kinds. Names: "sgd", "adam", "adamw".
OptimizerKind parse_optimizer_kind(const std::string& name);

/// Moves parameters along their gradients. A parameter without a gradient stays where it is.
class Optimizer {
 public:
  Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;
  virtual ~Optimizer() = default;
  /// One step at `learning_rate_factor` times the rate it was made with.
  virtual void step(double learning_rate_factor) = 0;
};

/// Errors: kInvalidArgument (no parameters, a negative rate, ...).
std::unique_ptr<Optimizer> make_optimizer(const OptimizerSpec& spec,
                                          const std::vector<at::Tensor>& parameters);

/// Scales the gradients so that their common L2 norm is at most `max_norm`; returns the norm
/// before. Gradients that are absent count as zero. As torch: factor min(1, max_norm / (norm +
/// 1e-6)).
double clip_gradients(const std::vector<at::Tensor>& parameters, double max_norm);

}  // namespace cadenza
