// Dark experience replay.
// 1. Rows of every batch are offered to a reservoir, with what the network answered to them.
// 2. From the second step on: loss + alpha * mean (answer now - answer then)^2 over rows drawn.
// Differs: rows that the reservoir keeps are answered in evaluation mode by the parameters before
// the step (the training forward's own answers where nothing in the network is random).
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "cadenza/base/error.h"
#include "cadenza/continual/row_memory.h"
#include "cadenza/continual/training_loop.h"

namespace cadenza {

namespace {

class Der final : public ContinualStrategy {
 public:
  Der(const Options& options, std::uint64_t seed)
      : memory_(options.integer("capacity"), "der"),
        n_drawn_(options.integer("batch")),
        alpha_(options.real("alpha")),
        matches_logits_(options.text("match") == "logits"),
        rows_(options.text("rows")),
        seed_(seed) {}

  void begin_task(const TaskData& data, TrainableView& view) override {
    answer_ = answers_of(view, matches_logits_, "der");
    random_ = Rng(seed_, cat("der ", step_name(data)));
  }

  at::Tensor penalty(const Batch& batch) override {
    at::Tensor distance;
    if (memory_.size() > 0 && alpha_ != 0) {
      const auto stored = memory_.draw(n_drawn_, random_);
      distance = alpha_ * (answer_(stored.batch) - stored.answers).square().mean();
    }
    memory_.offer(fresh_rows(batch, rows_), answer_, random_);
    return distance;
  }

  StatePiece save() const override { return memory_.save(); }
  void load(const StatePiece& state) override { memory_.load(state); }

 private:
  RowMemory memory_;
  std::int64_t n_drawn_;
  double alpha_;
  bool matches_logits_;
  std::string rows_;
  std::uint64_t seed_;
  RowMemory::Answer answer_;
  Rng random_{0, ""};
};

}  // namespace

void register_der(StrategyRegistry& registry) {
  registry.add(
      {.name = "der",
       .info = {.name = "der",
                .summary = "dark experience replay: answers to stored rows are kept as they were",
                .source = "Buzzega et al., NeurIPS 2020"},
       .options = {integer_option("capacity", 200, 1, 1'000'000, "rows kept in all"),
                   integer_option("batch", 32, 1, 4096, "stored rows a step looks at"),
                   real_option("alpha", 0.4, 0, 1e9, "weight of the answers' difference"),
                   choice_option("match", "embeddings", {"embeddings", "logits"},
                                 "what is kept as it was (the DNE program: embeddings)"),
                   choice_option("rows", "all", {"all", "normal"},
                                 "which rows of a batch are offered (the DNE program: normal)")},
       .bibtex = "@inproceedings{buzzega2020dark, title={Dark Experience for General Continual "
                 "Learning: a Strong, Simple Baseline}, author={Buzzega, Pietro and Boschini, "
                 "Matteo and Porrello, Angelo and Abati, Davide and Calderara, Simone}, "
                 "booktitle={NeurIPS}, year={2020}}",
       .make = [](const Options& options, std::uint64_t seed)
           -> std::unique_ptr<ContinualStrategy> { return std::make_unique<Der>(options, seed); }});
}

}  // namespace cadenza
