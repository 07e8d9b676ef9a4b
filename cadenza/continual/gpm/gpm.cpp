// Gradient projection memory.
// 1. After a task, for every Linear and Conv layer: extend the layer's basis by the directions that
//    hold threshold + increment * t of the energy of its inputs on samples of the task.
// 2. While training later tasks: the part of a weight's update that lies in its basis is removed.
// Differs: the update is projected, not the gradient. Adam's element-wise scaling and weight decay
// would carry a projected gradient back into the basis; with plain SGD both are the same.
// Parameters without a layer input (biases, norms, tokens, prompts) stay free, so that methods made
// of them can learn; freeze_others stops them after the first task as the authors' program does.
#include <map>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "cadenza/base/error.h"
#include "cadenza/base/rng.h"
#include "cadenza/continual/gpm/basis.h"
#include "cadenza/continual/quadratic_anchor.h"
#include "cadenza/continual/sample_gradients.h"
#include "cadenza/continual/strategy.h"

namespace cadenza {

namespace {

/// At most `n` columns of [d,m], drawn evenly.
at::Tensor thinned(const at::Tensor& columns, std::int64_t n, Rng& rng) {
  const auto chosen = rng.sample_sorted(columns.size(1), n);
  return columns.index_select(1, at::tensor(chosen, at::kLong));
}

class Gpm final : public ContinualStrategy {
 public:
  Gpm(const Options& options, std::uint64_t seed)
      : threshold_(options.real("threshold")),
        increment_(options.real("increment")),
        n_images_(options.integer("images")),
        n_columns_(options.integer("columns")),
        rule_(options.text("rank_rule") == "paper" ? RankRule::kPaper : RankRule::kOfficial),
        freezes_others_(options.flag("freeze_others")),
        seed_(seed) {}

  void begin_task(const TaskData&, TrainableView& view) override { view_ = &view; }

  void before_step() override {
    if (n_tasks_ > 0) before_ = snapshot(view_->parameters);
  }

  void after_step() override {
    if (n_tasks_ == 0) return;
    const c10::NoGradGuard no_grad;
    for (std::size_t index = 0; index < before_.size(); ++index) {
      const auto& parameter = view_->parameters[index];
      const auto basis = bases_.find(view_->names[index]);
      if (basis != bases_.end()) {
        if (basis->second.size(1) == 0) continue;  // nothing to protect: the very bits of the step
        const at::Tensor update = (parameter - before_[index]).reshape({parameter.size(0), -1});
        const at::Tensor kept = project_out(update, basis->second).view_as(parameter);
        parameter.copy_(before_[index] + kept);
      } else if (freezes_others_) {
        parameter.copy_(before_[index]);
      }
    }
  }

  void end_task(const TaskData& data) override {
    const double threshold = std::min(threshold_ + increment_ * double(n_tasks_), 1.);
    for (auto& [name, inputs] : layer_inputs(data)) {
      auto& basis = bases_[name];
      // Rounded as save() stores it: a stream that was resumed goes on with the same bits.
      basis = extend_basis(basis, inputs, threshold, rule_).to(at::kFloat).to(at::kDouble);
    }
    ++n_tasks_;
    view_ = nullptr;
  }

  StatePiece save() const override {
    StatePiece out;
    out.texts["tasks"] = std::to_string(n_tasks_);
    for (const auto& [name, basis] : bases_) {
      out.tensors["basis." + name] = basis.to(at::kFloat);
    }
    return out;
  }

  void load(const StatePiece& state) override {
    PieceReader in(state, "gpm");
    n_tasks_ = std::stoll(in.text("tasks"));
    bases_.clear();
    for (const auto& [key, tensor] : state.tensors) {
      const std::string prefix = "basis.";
      if (key.starts_with(prefix)) {
        bases_[key.substr(prefix.size())] = in.tensor(key).to(at::kDouble);
      }
    }
    in.finish();
  }

 private:
  /// The inputs [d,n] of every layer that has them, at most n_columns_ of each.
  std::map<std::string, at::Tensor> layer_inputs(const TaskData& data) {
    CADENZA_REQUIRE(view_->layer_input != nullptr, ErrorCode::kUnsupported,
                    "gpm: this method does not show the inputs of its layers");
    const c10::NoGradGuard no_grad;
    std::map<std::string, std::vector<at::Tensor>> parts;
    Rng rng(seed_, cat("gpm/", n_tasks_));
    constexpr std::int64_t kBatchSize = 16;
    const std::int64_t n_batches = (n_images_ + kBatchSize - 1) / kBatchSize;
    const std::int64_t n_a_batch = (n_columns_ + n_batches - 1) / n_batches;
    for_sampled_batches(data, *view_, n_images_, kBatchSize, seed_, [&](const Batch& batch) {
      for (const auto& name : view_->names) {
        const at::Tensor columns = view_->layer_input(name, batch);
        if (columns.defined()) parts[name].push_back(thinned(columns, n_a_batch, rng));
      }
    });
    std::map<std::string, at::Tensor> inputs;
    for (const auto& [name, columns] : parts) inputs[name] = at::cat(columns, 1);
    return inputs;
  }

  double threshold_, increment_;
  std::int64_t n_images_, n_columns_;
  RankRule rule_;
  bool freezes_others_;
  std::uint64_t seed_;
  TrainableView* view_ = nullptr;
  std::vector<at::Tensor> before_;
  std::int64_t n_tasks_ = 0;
  std::map<std::string, at::Tensor> bases_;  // [d,r] float64, by the name of the layer's weight
};

}  // namespace

void register_gpm(StrategyRegistry& registry) {
  registry.add(
      {.name = "gpm",
       .info = {.name = "gpm",
                .summary = "gradient projection memory: updates stay out of the old inputs' space",
                .source = "Saha et al., ICLR 2021"},
       .options =
           {real_option("threshold", 0.97, 0, 1, "share of the inputs' energy that is protected"),
            real_option("increment", 0.003, 0, 1, "added to the threshold with every task"),
            integer_option("images", 64, 1, 1'000'000, "images sampled a task"),
            integer_option("columns", 1024, 1, 10'000'000, "inputs kept a layer"),
            choice_option("rank_rule", "official", {"official", "paper"},
                          "the authors' program, or one direction more as the paper words it"),
            flag_option("freeze_others", false,
                        "stop parameters without a layer input (biases, norms, prompts) after the "
                        "first task; they stay free otherwise")},
       .bibtex = "@inproceedings{saha2021gradient, title={Gradient Projection Memory for Continual "
                 "Learning}, author={Saha, Gobinda and Garg, Isha and Roy, Kaushik}, "
                 "booktitle={ICLR}, year={2021}}",
       .make = [](const Options& options, std::uint64_t seed)
           -> std::unique_ptr<ContinualStrategy> { return std::make_unique<Gpm>(options, seed); }});
}

}  // namespace cadenza
