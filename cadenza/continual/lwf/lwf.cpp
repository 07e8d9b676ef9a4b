// Learning without forgetting.
// 1. The parameters at the end of a task become the teacher.
// 2. While training later tasks: loss + lambda * T^2 * KL(teacher || student) of the class scores
// on
//    the current batch, + embed_weight * mean square difference of the embeddings.
// Differs: methods without a classifier distil their embeddings with weight lambda instead.
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "cadenza/base/error.h"
#include "cadenza/continual/lwf/distillation.h"
#include "cadenza/continual/quadratic_anchor.h"
#include "cadenza/continual/strategy.h"

namespace cadenza {

namespace {

/// Lets the method compute with other parameter values while the object lives. No graph may be open
/// over the parameters.
class BorrowedParameters {
 public:
  BorrowedParameters(std::span<at::Tensor> parameters, std::span<const at::Tensor> values)
      : parameters_(parameters) {
    for (std::size_t index = 0; index < parameters.size(); ++index) {
      own_.push_back(parameters[index].detach());
      parameters[index].set_data(values[index]);
    }
  }
  ~BorrowedParameters() {
    for (std::size_t index = 0; index < own_.size(); ++index) {
      parameters_[index].set_data(own_[index]);
    }
  }
  BorrowedParameters(const BorrowedParameters&) = delete;
  BorrowedParameters& operator=(const BorrowedParameters&) = delete;

 private:
  std::span<at::Tensor> parameters_;
  std::vector<at::Tensor> own_;
};

class Lwf final : public ContinualStrategy {
 public:
  explicit Lwf(const Options& options)
      : lambda_(options.real("lambda")),
        temperature_(options.real("temperature")),
        embed_weight_(options.real("embed_weight")) {}

  void begin_task(const TaskData&, TrainableView& view) override {
    CADENZA_REQUIRE(view.logits || view.embeddings, ErrorCode::kUnsupported,
                    "lwf: this method shows neither class scores nor embeddings");
    view_ = &view;
  }

  at::Tensor penalty(const Batch& batch) override {
    if (teacher_.empty()) return {};
    const bool has_classifier = view_->logits != nullptr;
    const double embed_weight = has_classifier ? embed_weight_ : lambda_;
    const bool uses_logits = has_classifier && lambda_ != 0;
    const bool uses_embeddings = view_->embeddings && embed_weight != 0;
    if (!uses_logits && !uses_embeddings) return {};

    at::Tensor teacher_logits, teacher_embeddings;
    {
      const c10::NoGradGuard no_grad;
      const BorrowedParameters teacher(view_->parameters, teacher_);
      if (uses_logits) teacher_logits = view_->logits(batch);
      if (uses_embeddings) teacher_embeddings = view_->embeddings(batch);
    }
    at::Tensor sum;
    if (uses_logits) {
      sum = lambda_ * distillation_loss(teacher_logits, view_->logits(batch), temperature_);
    }
    if (uses_embeddings) {
      const at::Tensor difference =
          embed_weight * (view_->embeddings(batch) - teacher_embeddings).square().mean();
      sum = sum.defined() ? sum + difference : difference;
    }
    return sum;
  }

  void end_task(const TaskData&) override {
    if (lambda_ != 0 || embed_weight_ != 0) teacher_ = snapshot(view_->parameters);
    view_ = nullptr;
  }

  StatePiece save() const override {
    StatePiece out;
    save_list("teacher.", teacher_, out);
    return out;
  }

  void load(const StatePiece& state) override {
    PieceReader in(state, "lwf");
    teacher_ = load_list("teacher.", in);
    in.finish();
  }

 private:
  double lambda_, temperature_, embed_weight_;
  TrainableView* view_ = nullptr;
  std::vector<at::Tensor> teacher_;
};

}  // namespace

void register_lwf(StrategyRegistry& registry) {
  registry.add(
      {.name = "lwf",
       .info = {.name = "lwf",
                .summary = "learning without forgetting: the previous model teaches the next",
                .source = "Li & Hoiem, TPAMI 2018"},
       .options = {real_option("lambda", 1, 0, 1e9, "weight of the distillation"),
                   real_option("temperature", 2, 1e-3, 1e3, "of both distributions"),
                   real_option("embed_weight", 0, 0, 1e9, "weight of the embeddings' difference")},
       .bibtex =
           "@article{li2018learning, title={Learning without Forgetting}, author={Li, Zhizhong "
           "and Hoiem, Derek}, journal={TPAMI}, volume={40}, number={12}, year={2018}}",
       .make = [](const Options& options, std::uint64_t) -> std::unique_ptr<ContinualStrategy> {
         return std::make_unique<Lwf>(options);
       }});
}

}  // namespace cadenza
