// Function distance regularisation.
// 1. After task t of t, each task may keep capacity / t rows: earlier ones drop rows evenly, the
//    new task brings rows of its images with the class probabilities that the network gives them.
// 2. From the second task on: loss + alpha * mean || p now - p then ||_2 over rows drawn.
// Differs: one step on the sum of both losses; the DNE program takes a second step of the optimiser
// on the distance alone. Methods without a classifier keep embeddings instead of probabilities.
#include <algorithm>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "cadenza/base/error.h"
#include "cadenza/continual/row_memory.h"
#include "cadenza/continual/sample_gradients.h"
#include "cadenza/continual/training_loop.h"

namespace cadenza {

namespace {

class Fdr final : public ContinualStrategy {
 public:
  Fdr(const Options& options, std::uint64_t seed)
      : memory_(options.integer("capacity"), "fdr"),
        capacity_(options.integer("capacity")),
        n_drawn_(options.integer("batch")),
        alpha_(options.real("alpha")),
        seed_(seed) {}

  void begin_task(const TaskData& data, TrainableView& view) override {
    view_ = &view;
    const auto raw = answers_of(view, true, "fdr");
    const bool are_scores = view.logits != nullptr;
    answer_ = [raw, are_scores](const Batch& batch) {
      return are_scores ? raw(batch).softmax(1) : raw(batch);
    };
    random_ = Rng(seed_, cat("fdr ", step_name(data)));
  }

  at::Tensor penalty(const Batch&) override {
    if (memory_.size() == 0 || alpha_ == 0) return {};
    const auto stored = memory_.draw(n_drawn_, random_);
    // The norm has no gradient where nothing has moved yet.
    const auto squared = (answer_(stored.batch) - stored.answers).square().sum(1);
    return alpha_ * (squared + 1e-12).sqrt().mean();
  }

  void end_task(const TaskData& data) override {
    const c10::NoGradGuard no_grad;
    const auto quota = capacity_ / ++n_tasks_;
    const auto n_earlier = std::min(memory_.size(), capacity_ - quota);
    if (memory_.size() > n_earlier) {
      Rng rng(seed_, cat("fdr drop ", step_name(data)));
      const auto kept = memory_.draw(n_earlier, rng);
      memory_.shrink(0);
      memory_.append_rows(kept.batch, kept.answers);
    }
    constexpr std::int64_t kBatchSize = 16;
    std::int64_t n_added = 0;
    for_sampled_batches(data, *view_, quota, kBatchSize, seed_, [&](const Batch& batch) {
      const auto n_rows = std::min(batch.images.size(0), quota - n_added);
      if (n_rows == 0) return;
      // Rows of a pair lie half a batch apart: every second row of both halves.
      const auto rows = evenly(batch, n_rows);
      memory_.append_rows(rows, answer_(rows));
      n_added += n_rows;
    });
    view_ = nullptr;
  }

  StatePiece save() const override {
    auto state = memory_.save();
    state.texts["tasks"] = std::to_string(n_tasks_);
    return state;
  }
  void load(const StatePiece& state) override {
    auto rows = state;
    PieceReader in(state, "strategy 'fdr'");
    n_tasks_ = std::stoll(in.text("tasks"));
    rows.texts.erase("tasks");
    memory_.load(rows);
  }

 private:
  static Batch evenly(const Batch& batch, std::int64_t n_rows) {
    const auto total = batch.images.size(0);
    const auto which = at::arange(n_rows, at::kLong).mul(total).floor_divide(n_rows);
    const auto pick = [&](const at::Tensor& of) {
      return of.defined() ? of.index_select(0, which) : of;
    };
    return {.images = pick(batch.images),
            .pixels = pick(batch.pixels),
            .labels = pick(batch.labels),
            .task = pick(batch.task)};
  }

  RowMemory memory_;
  std::int64_t capacity_, n_drawn_;
  double alpha_;
  std::uint64_t seed_;
  std::int64_t n_tasks_ = 0;
  TrainableView* view_ = nullptr;
  RowMemory::Answer answer_;
  Rng random_{0, ""};
};

}  // namespace

void register_fdr(StrategyRegistry& registry) {
  registry.add(
      {.name = "fdr",
       .info = {.name = "fdr",
                .summary = "function distance: probabilities of stored rows stay where they were",
                .source = "Benjamin et al., ICLR 2019"},
       .options = {integer_option("capacity", 200, 1, 1'000'000, "rows kept in all"),
                   integer_option("batch", 32, 1, 4096, "stored rows a step looks at"),
                   real_option("alpha", 1, 0, 1e9, "weight of the distance")},
       .bibtex = "@inproceedings{benjamin2019measuring, title={Measuring and Regularizing "
                 "Networks in Function Space}, author={Benjamin, Ari S. and Rolnick, David and "
                 "Kording, Konrad}, booktitle={ICLR}, year={2019}}",
       .make = [](const Options& options, std::uint64_t seed)
           -> std::unique_ptr<ContinualStrategy> { return std::make_unique<Fdr>(options, seed); }});
}

}  // namespace cadenza
