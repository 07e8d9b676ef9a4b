// Synaptic intelligence.
// 1. Every step, with g the gradient of the task's loss alone and d the update that really
// happened:
//    omega += -g d.
// 2. After the task: Omega <- relu(Omega + omega / ((theta - theta_start)^2 + xi)).
// 3. While training later tasks: loss + c * sum_j Omega_j (theta_j - theta*_j)^2.
// Differs: none from the authors' code (relu on the accumulated Omega); the penalty's gradient is
// added after g was taken.
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "cadenza/continual/quadratic_anchor.h"
#include "cadenza/continual/strategy.h"

namespace cadenza {

namespace {

class Si final : public ContinualStrategy {
 public:
  explicit Si(const Options& options) : c_(options.real("c")), xi_(options.real("xi")) {}

  void begin_task(const TaskData&, TrainableView& view) override {
    view_ = &view;
    start_ = snapshot(view.parameters);
    omega_.clear();
    for (const auto& parameter : start_) omega_.push_back(at::zeros_like(parameter));
  }

  void after_task_backward(const Batch&) override {
    gradient_.clear();
    for (const auto& parameter : view_->parameters) {
      gradient_.push_back(parameter.grad().defined() ? parameter.grad().clone() : at::Tensor());
    }
  }

  at::Tensor penalty(const Batch&) override {
    if (c_ == 0 || importance_.empty()) return {};
    at::Tensor sum;
    for (std::size_t index = 0; index < importance_.size(); ++index) {
      const at::Tensor term =
          (importance_[index] * (view_->parameters[index] - anchor_[index]).square()).sum();
      sum = sum.defined() ? sum + term : term;
    }
    return c_ * sum;
  }

  void before_step() override { before_ = snapshot(view_->parameters); }

  void after_step() override {
    const c10::NoGradGuard no_grad;
    for (std::size_t index = 0; index < omega_.size(); ++index) {
      if (!gradient_[index].defined()) continue;
      omega_[index] -= gradient_[index] * (view_->parameters[index] - before_[index]);
    }
  }

  void end_task(const TaskData&) override {
    const auto theta = snapshot(view_->parameters);
    if (importance_.empty()) {
      for (const auto& parameter : theta) importance_.push_back(at::zeros_like(parameter));
    }
    for (std::size_t index = 0; index < theta.size(); ++index) {
      const at::Tensor path = (theta[index] - start_[index]).square() + xi_;
      importance_[index] = (importance_[index] + omega_[index] / path).relu();
    }
    anchor_ = theta;
    view_ = nullptr;
  }

  StatePiece save() const override {
    StatePiece out;
    save_list("importance.", importance_, out);
    save_list("anchor.", anchor_, out);
    return out;
  }

  void load(const StatePiece& state) override {
    PieceReader in(state, "si");
    importance_ = load_list("importance.", in);
    anchor_ = load_list("anchor.", in);
    in.finish();
  }

 private:
  double c_, xi_;
  TrainableView* view_ = nullptr;
  std::vector<at::Tensor> start_, before_, gradient_, omega_;  // of the task being trained
  std::vector<at::Tensor> importance_, anchor_;                // of all tasks so far
};

}  // namespace

void register_si(StrategyRegistry& registry) {
  registry.add(
      {.name = "si",
       .info = {.name = "si",
                .summary = "synaptic intelligence: importance from the path that training took",
                .source = "Zenke et al., ICML 2017"},
       .options = {real_option("c", 0.1, 0, 1e9, "strength of the penalty"),
                   real_option("xi", 0.1, 1e-12, 1e9, "damping of short paths")},
       .bibtex = "@inproceedings{zenke2017continual, title={Continual Learning Through Synaptic "
                 "Intelligence}, author={Zenke, Friedemann and Poole, Ben and Ganguli, Surya}, "
                 "booktitle={ICML}, year={2017}}",
       .make = [](const Options& options, std::uint64_t) -> std::unique_ptr<ContinualStrategy> {
         return std::make_unique<Si>(options);
       }});
}

}  // namespace cadenza
