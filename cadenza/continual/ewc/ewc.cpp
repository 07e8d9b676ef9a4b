// Elastic weight consolidation.
// 1. After a task: F = diagonal Fisher information of its images at theta*.
// 2. While training later tasks: loss + lambda/2 * sum_k sum_j F_kj (theta_j - theta*_kj)^2.
// mode=sum keeps that sum exactly in two buffers; mode=online (Schwarz et al. 2018) decays the old
// Fisher by gamma and anchors at the latest theta only; mode=per_task stores every pair, as the
// papers' tables count it.
#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/continual/ewc/fisher.h"
#include "cadenza/continual/quadratic_anchor.h"
#include "cadenza/continual/strategy.h"

namespace cadenza {

namespace {

FisherKind fisher_kind(const std::string& name) {
  if (name == "batch") return FisherKind::kBatch;
  return name == "model" ? FisherKind::kModel : FisherKind::kSample;
}

class Ewc final : public ContinualStrategy {
 public:
  Ewc(const Options& options, std::uint64_t seed)
      : lambda_(options.real("lambda")),
        n_images_(options.integer("samples")),
        batch_size_(options.integer("fisher_batch")),
        gamma_(options.real("gamma")),
        mode_(options.text("mode")),
        kind_(fisher_kind(options.text("fisher"))),
        seed_(seed) {}

  void begin_task(const TaskData&, TrainableView& view) override { view_ = &view; }

  at::Tensor penalty(const Batch&) override {
    if (lambda_ == 0) return {};
    at::Tensor sum;
    for (const auto& anchor : anchors_) {
      const at::Tensor term = anchor.penalty(view_->parameters);
      sum = sum.defined() ? sum + term : term;
    }
    return sum.defined() ? sum * (lambda_ / 2) : sum;
  }

  void end_task(const TaskData& data) override {
    if (lambda_ != 0) {
      const auto fisher = fisher_information(data, *view_, kind_, n_images_, batch_size_, seed_);
      const auto theta = snapshot(view_->parameters);
      if (anchors_.empty() || mode_ == "per_task") anchors_.emplace_back();
      if (mode_ == "online") {
        anchors_.back().decay(gamma_);
        anchors_.back().move_centre(theta);
      }
      anchors_.back().add(fisher, theta);
    }
    view_ = nullptr;
  }

  StatePiece save() const override {
    StatePiece out;
    for (std::size_t index = 0; index < anchors_.size(); ++index) {
      anchors_[index].save(cat(index, "."), out);
    }
    return out;
  }

  void load(const StatePiece& state) override {
    PieceReader in(state, "ewc");
    anchors_.clear();
    while (in.has_tensor(cat(anchors_.size(), ".constant"))) {
      QuadraticAnchor anchor;
      anchor.load(cat(anchors_.size(), "."), in);
      anchors_.push_back(std::move(anchor));
    }
    in.finish();
  }

 private:
  double lambda_;
  std::int64_t n_images_, batch_size_;
  double gamma_;
  std::string mode_;
  FisherKind kind_;
  std::uint64_t seed_;
  TrainableView* view_ = nullptr;
  std::vector<QuadraticAnchor> anchors_;
};

}  // namespace

void register_ewc(StrategyRegistry& registry) {
  registry.add(
      {.name = "ewc",
       .info = {.name = "ewc",
                .summary = "elastic weight consolidation: parameters that mattered are held near",
                .source = "Kirkpatrick et al., PNAS 2017; online: Schwarz et al., ICML 2018"},
       .options =
           {real_option("lambda", 5000, 0, 1e12, "strength; comparable within one kind of fisher"),
            integer_option("samples", 200, 1, 1'000'000, "images for the Fisher information"),
            integer_option("fisher_batch", 32, 1, 4096,
                           "images a forward pass (fisher=batch: a term)"),
            choice_option("mode", "sum", {"sum", "online", "per_task"}, "how tasks are kept"),
            choice_option("fisher", "sample", {"sample", "batch", "model"}, "what is squared"),
            real_option("gamma", 1, 0, 1, "mode=online: what an older task's Fisher keeps")},
       .bibtex = "@article{kirkpatrick2017overcoming, title={Overcoming catastrophic forgetting in "
                 "neural networks}, author={Kirkpatrick, James and others}, journal={PNAS}, "
                 "volume={114}, number={13}, year={2017}}",
       .make = [](const Options& options, std::uint64_t seed)
           -> std::unique_ptr<ContinualStrategy> { return std::make_unique<Ewc>(options, seed); }});
}

}  // namespace cadenza
