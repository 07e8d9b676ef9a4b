// Experience replay as the DNE program has it: rows as the network was fed them, in a reservoir
// over every batch of every epoch.
// 1. Rows drawn from the reservoir are appended to the batch; one mean loss over all.
// 2. The batch's own normal rows are offered to the reservoir.
// `replay` keeps raw pictures, a fair share of every task, and makes broken twins of them anew.
#include "cadenza/base/error.h"
#include "cadenza/continual/row_memory.h"
#include "cadenza/continual/training_loop.h"

namespace cadenza {

namespace {

class Er final : public ContinualStrategy {
 public:
  Er(const Options& options, std::uint64_t seed)
      : memory_(options.integer("capacity"), "er"),
        n_drawn_(options.integer("batch")),
        rows_(options.text("rows")),
        seed_(seed) {}

  void begin_task(const TaskData& data, TrainableView&) override {
    random_ = Rng(seed_, cat("er ", step_name(data)));
  }

  void mix_batch(Batch& batch) override {
    const auto fresh = fresh_rows(batch, rows_);
    if (memory_.size() > 0 && n_drawn_ > 0) append(batch, memory_.draw(n_drawn_, random_).batch);
    memory_.offer(fresh, {}, random_);
  }

  StatePiece save() const override { return memory_.save(); }
  void load(const StatePiece& state) override { memory_.load(state); }

 private:
  RowMemory memory_;
  std::int64_t n_drawn_;
  std::string rows_;
  std::uint64_t seed_;
  Rng random_{0, ""};
};

}  // namespace

void register_er(StrategyRegistry& registry) {
  registry.add(
      {.name = "er",
       .info = {.name = "er",
                .summary = "experience replay of augmented normal rows, as the DNE program has it",
                .source = "Chaudhry et al., On Tiny Episodic Memories in Continual Learning, 2019"},
       .options = {integer_option("capacity", 200, 0, 1'000'000, "rows kept in all"),
                   integer_option("batch", 32, 0, 4096, "stored rows that join each step"),
                   choice_option("rows", "normal", {"all", "normal"},
                                 "which rows of a batch are offered")},
       .bibtex = "@article{chaudhry2019tiny, title={On Tiny Episodic Memories in Continual "
                 "Learning}, author={Chaudhry, Arslan and others}, journal={arXiv preprint "
                 "arXiv:1902.10486}, year={2019}}",
       .make = [](const Options& options, std::uint64_t seed)
           -> std::unique_ptr<ContinualStrategy> { return std::make_unique<Er>(options, seed); }});
}

}  // namespace cadenza
