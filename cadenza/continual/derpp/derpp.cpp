// Dark experience replay ++.
// 1. As der: rows of every batch are offered to a reservoir with the class scores they got.
// 2. From the second step on: loss + alpha * mean (scores now - scores then)^2
//                                 + beta * the method's own loss of stored rows.
//    draws=1: both terms on the same rows, as the DNE program has it; 2: on rows of their own, as
//    the paper has it.
#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/continual/row_memory.h"
#include "cadenza/continual/training_loop.h"

namespace cadenza {

namespace {

class Derpp final : public ContinualStrategy {
 public:
  Derpp(const Options& options, std::uint64_t seed)
      : memory_(options.integer("capacity"), "derpp"),
        n_drawn_(options.integer("batch")),
        n_draws_(options.integer("draws")),
        alpha_(options.real("alpha")),
        beta_(options.real("beta")),
        rows_(options.text("rows")),
        seed_(seed) {}

  void begin_task(const TaskData& data, TrainableView& view) override {
    view_ = &view;
    answer_ = answers_of(view, true, "derpp");
    random_ = Rng(seed_, cat("derpp ", step_name(data)));
  }

  at::Tensor penalty(const Batch& batch) override {
    at::Tensor sum;
    if (memory_.size() > 0 && (alpha_ != 0 || beta_ != 0)) {
      const auto stored = memory_.draw(n_drawn_, random_);
      const auto others = n_draws_ == 2 ? memory_.draw(n_drawn_, random_).batch : stored.batch;
      sum = alpha_ * (answer_(stored.batch) - stored.answers).square().mean();
      if (beta_ != 0) sum = sum + beta_ * view_->loss(others);
    }
    memory_.offer(fresh_rows(batch, rows_), answer_, random_);
    return sum;
  }

  void end_task(const TaskData&) override { view_ = nullptr; }

  StatePiece save() const override { return memory_.save(); }
  void load(const StatePiece& state) override { memory_.load(state); }

 private:
  RowMemory memory_;
  std::int64_t n_drawn_, n_draws_;
  double alpha_, beta_;
  std::string rows_;
  std::uint64_t seed_;
  TrainableView* view_ = nullptr;
  RowMemory::Answer answer_;
  Rng random_{0, ""};
};

}  // namespace

void register_derpp(StrategyRegistry& registry) {
  registry.add(
      {.name = "derpp",
       .info = {.name = "derpp",
                .summary = "dark experience replay ++: stored rows keep their scores and are "
                           "learned again",
                .source = "Buzzega et al., NeurIPS 2020"},
       .options = {integer_option("capacity", 200, 1, 1'000'000, "rows kept in all"),
                   integer_option("batch", 32, 1, 4096, "stored rows a step looks at"),
                   integer_option("draws", 1, 1, 2, "2: the two terms look at different rows"),
                   real_option("alpha", 0.4, 0, 1e9, "weight of the scores' difference"),
                   real_option("beta", 0.5, 0, 1e9, "weight of the stored rows' loss"),
                   choice_option("rows", "all", {"all", "normal"},
                                 "which rows of a batch are offered (the DNE program: normal)")},
       .bibtex = "@inproceedings{buzzega2020dark, title={Dark Experience for General Continual "
                 "Learning: a Strong, Simple Baseline}, author={Buzzega, Pietro and Boschini, "
                 "Matteo and Porrello, Angelo and Abati, Davide and Calderara, Simone}, "
                 "booktitle={NeurIPS}, year={2020}}",
       .make = [](const Options& options,
                  std::uint64_t seed) -> std::unique_ptr<ContinualStrategy> {
         return std::make_unique<Derpp>(options, seed);
       }});
}

}  // namespace cadenza
