// Memory aware synapses.
// 1. After a task: importance = mean over images of | d ||f(x)||^2 / d theta |, f the outputs.
// 2. While training later tasks: loss + lambda * sum_j Omega_j (theta_j - theta*_j)^2, Omega the
// sum
//    over the tasks, theta* the latest.
#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/continual/quadratic_anchor.h"
#include "cadenza/continual/sample_gradients.h"
#include "cadenza/continual/strategy.h"

namespace cadenza {

namespace {

class Mas final : public ContinualStrategy {
 public:
  Mas(const Options& options, std::uint64_t seed)
      : lambda_(options.real("lambda")), n_images_(options.integer("samples")), seed_(seed) {}

  void begin_task(const TaskData&, TrainableView& view) override {
    CADENZA_REQUIRE(view.logits || view.embeddings, ErrorCode::kUnsupported,
                    "mas: this method shows neither class scores nor embeddings");
    view_ = &view;
  }

  at::Tensor penalty(const Batch&) override {
    if (lambda_ == 0 || anchor_.empty()) return {};
    return lambda_ * anchor_.penalty(view_->parameters);
  }

  void end_task(const TaskData& data) override {
    if (lambda_ != 0) {
      const auto theta = snapshot(view_->parameters);
      if (!anchor_.empty()) anchor_.move_centre(theta);
      anchor_.add(sensitivity(data), theta);
    }
    view_ = nullptr;
  }

  StatePiece save() const override {
    StatePiece out;
    anchor_.save("", out);
    return out;
  }

  void load(const StatePiece& state) override {
    PieceReader in(state, "mas");
    anchor_.load("", in);
    in.finish();
  }

 private:
  std::vector<at::Tensor> sensitivity(const TaskData& data) const {
    const auto& outputs = view_->logits ? view_->logits : view_->embeddings;
    std::vector<at::Tensor> sums;
    for (const auto& parameter : view_->parameters) {
      sums.push_back(at::zeros_like(parameter.detach()));
    }
    std::int64_t n_rows = 0;
    constexpr std::int64_t kBatchSize = 16;
    for_sampled_batches(data, *view_, n_images_, kBatchSize, seed_, [&](const Batch& batch) {
      const at::Tensor norms = outputs(batch).square().sum(1);
      for (std::int64_t row = 0; row < norms.size(0); ++row, ++n_rows) {
        const auto gradients = gradients_of(norms[row], view_->parameters, row + 1 < norms.size(0));
        for (std::size_t index = 0; index < sums.size(); ++index) {
          sums[index].add_(gradients[index].abs());
        }
      }
    });
    for (auto& sum : sums) sum.div_(double(std::max<std::int64_t>(n_rows, 1)));
    return sums;
  }

  double lambda_;
  std::int64_t n_images_;
  std::uint64_t seed_;
  TrainableView* view_ = nullptr;
  QuadraticAnchor anchor_;
};

}  // namespace

void register_mas(StrategyRegistry& registry) {
  registry.add(
      {.name = "mas",
       .info = {.name = "mas",
                .summary = "memory aware synapses: importance from the sensitivity of the outputs",
                .source = "Aljundi et al., ECCV 2018"},
       .options = {real_option("lambda", 1, 0, 1e12, "strength of the penalty"),
                   integer_option("samples", 200, 1, 1'000'000, "images for the importance")},
       .bibtex = "@inproceedings{aljundi2018memory, title={Memory Aware Synapses: Learning what "
                 "(not) to forget}, author={Aljundi, Rahaf and others}, booktitle={ECCV}, "
                 "year={2018}}",
       .make = [](const Options& options, std::uint64_t seed)
           -> std::unique_ptr<ContinualStrategy> { return std::make_unique<Mas>(options, seed); }});
}

}  // namespace cadenza
