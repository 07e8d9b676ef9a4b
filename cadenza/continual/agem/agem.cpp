// Averaged gradient episodic memory.
// 1. After a task, rows of batches made of its images join the memory; when it is full, rows of
//    all tasks are dropped evenly.
// 2. In later steps, r is the gradient of the method's own loss on rows drawn from the memory. A
//    gradient g that points against it (g . r < 0) loses that part.
// Differs: from the DNE program in the rate, which follows the run's schedule (its A-GEM never
// steps the schedule); parameters that are not trained count as zeros, as there.
#include <algorithm>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/continual/agem/projection.h"
#include "cadenza/continual/row_memory.h"
#include "cadenza/continual/sample_gradients.h"
#include "cadenza/continual/training_loop.h"

namespace cadenza {

namespace {

class Agem final : public ContinualStrategy {
 public:
  Agem(const Options& options, std::uint64_t seed)
      : memory_(options.integer("capacity"), "agem"),
        capacity_(options.integer("capacity")),
        n_rows_(options.integer("rows")),
        n_drawn_(options.integer("batch")),
        seed_(seed) {}

  void begin_task(const TaskData& data, TrainableView& view) override {
    view_ = &view;
    draws_ = Rng(seed_, cat("agem draw ", step_name(data)));
  }

  void after_task_backward(const Batch&) override {
    if (memory_.size() == 0) return;
    const auto stored = memory_.draw(n_drawn_, draws_).batch;
    const auto reference = gradients_of(view_->loss(stored), view_->parameters);
    std::vector<at::Tensor> gradients;
    for (auto& parameter : view_->parameters) {
      if (!parameter.grad().defined()) parameter.mutable_grad() = at::zeros_like(parameter);
      gradients.push_back(parameter.grad());
    }
    project_conflicting(gradients, reference);
  }

  void end_task(const TaskData& data) override {
    if (capacity_ == 0) return;
    Batch added;
    // A method may make several rows of an image: asked for n_rows_ images, cut to n_rows_ rows.
    for_sampled_batches(data, *view_, n_rows_, n_rows_, seed_, [&](const Batch& batch) {
      Rng rng(seed_, cat("agem rows ", step_name(data)));
      const auto kept = rng.sample_sorted(batch.images.size(0), std::min(n_rows_, capacity_));
      const auto which = at::tensor(kept, at::kLong);
      const auto pick = [&](const at::Tensor& of) {
        return of.defined() ? of.index_select(0, which) : of;
      };
      added = {.images = pick(batch.images),
               .pixels = pick(batch.pixels),
               .labels = pick(batch.labels),
               .task = pick(batch.task)};
    });
    const auto room = capacity_ - added.images.size(0);
    if (memory_.size() > room) {
      Rng rng(seed_, cat("agem drop ", step_name(data)));
      const auto kept = memory_.draw(room, rng);
      memory_.shrink(0);
      memory_.append_rows(kept.batch, {});
    }
    memory_.append_rows(added, {});
    view_ = nullptr;
  }

  StatePiece save() const override { return memory_.save(); }
  void load(const StatePiece& state) override { memory_.load(state); }

 private:
  RowMemory memory_;
  std::int64_t capacity_, n_rows_, n_drawn_;
  std::uint64_t seed_;
  TrainableView* view_ = nullptr;
  Rng draws_{0, ""};
};

}  // namespace

void register_agem(StrategyRegistry& registry) {
  registry.add({.name = "agem",
                .info = {.name = "agem",
                         .summary = "a step may not raise the loss on stored rows of earlier tasks",
                         .source = "Chaudhry et al., ICLR 2019; memory as in the DNE program"},
                .options = {integer_option("capacity", 200, 0, 1'000'000, "rows kept in all"),
                            integer_option("rows", 64, 1, 1'000'000, "rows that a task brings"),
                            integer_option("batch", 32, 1, 4096, "stored rows a step looks at")},
                .bibtex =
                    "@inproceedings{chaudhry2019efficient, title={Efficient Lifelong Learning with "
                    "{A-GEM}}, author={Chaudhry, Arslan and Ranzato, Marc'Aurelio and Rohrbach, "
                    "Marcus and Elhoseiny, Mohamed}, booktitle={ICLR}, year={2019}}",
                .make = [](const Options& options,
                           std::uint64_t seed) -> std::unique_ptr<ContinualStrategy> {
                  return std::make_unique<Agem>(options, seed);
                }});
}

}  // namespace cadenza
