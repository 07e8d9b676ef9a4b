#include "cadenza/method/embedding_method.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "cadenza/base/error.h"
#include "cadenza/continual/restart_schedule.h"
#include "cadenza/dataset/preprocess.h"
#include "cadenza/method/original_rows.h"
#include "cadenza/tensor/shape.h"

namespace cadenza {

namespace {

/// Scores by the classifier: the probability of "broken".
/// Differs  the program takes the winning class (0 or 1), which ranks nothing.
class HeadScorer final : public EmbeddingScorer {
 public:
  HeadScorer(const at::Tensor& weight, const at::Tensor& bias) : weight_(weight), bias_(bias) {}
  void learn(std::span<const TaskEmbeddings>, std::uint64_t) override {}
  EmbeddingScores score(const at::Tensor& embeddings, std::span<const TaskId>) const override {
    const c10::NoGradGuard no_grad;
    const auto logits = at::linear(embeddings, weight_.to(at::kCPU), bias_.to(at::kCPU));
    return {.score = logits.to(at::kDouble).softmax(1).select(1, 1)};
  }
  bool picks_task() const noexcept override { return false; }
  void save(MethodState&) const override {}
  void load(const StateReaders&) override {}

 private:
  at::Tensor weight_, bias_;  // the method's own
};

DensityRule density_rule(const Options& options) {
  DensityRule rule;
  const double cut = options.real("eig_cut");
  if (cut >= 0) {
    rule.relative_cut = cut;
  } else if (options.text("density_precision") == "f64_full") {
    rule.relative_cut = 0;
  }
  const auto& sampler = options.text("sampler");
  rule.replay.root = sampler == "svd"       ? ReplayRule::Root::kSingular
                     : sampler == "moments" ? ReplayRule::Root::kMoments
                                            : ReplayRule::Root::kSymmetric;
  rule.replay.noise_ratio = options.real("noise_ratio");
  rule.n_draws = options.integer("draws");
  return rule;
}

std::unique_ptr<EmbeddingScorer> make_scorer(const Options& options, const at::Tensor& head_weight,
                                             const at::Tensor& head_bias) {
  const auto& name = options.text("scorer");
  if (name == "gauss_current") return make_current_gaussian_scorer(density_rule(options));
  if (name == "gauss_per_task") return make_task_gaussian_scorer();
  if (name == "knn_memory") return make_knn_scorer(options.integer("knn_capacity"));
  if (name == "head") return std::make_unique<HeadScorer>(head_weight, head_bias);
  return make_dne_scorer(density_rule(options));
}

LearnedNetworkRequest network_request(const Options& options) {
  return {.network = options.text("network"),
          .weights = options.text("weights"),
          .height_px = options.integer("size"),
          .width_px = options.integer("size"),
          .trainable = options.text("trainable"),
          .precision = options.text("precision")};
}

OptimizerSpec optimizer_spec(const Options& options) {
  return {.kind = parse_optimizer_kind(options.text("optimizer")),
          .learning_rate = options.real("lr"),
          .weight_decay = options.real("weight_decay"),
          .momentum = options.real("momentum"),
          .epsilon = options.real("eps")};
}

MethodInfo made_info(MethodInfo info, const Options& options, const LearnedNetwork& network,
                     const EmbeddingScorer& scorer) {
  info.input.height_px = network.height_px();
  info.input.width_px = network.width_px();
  if (options.text("norm") == "network") {
    info.input.mean = network.entry().mean;
    info.input.stddev = network.entry().stddev;
  }
  info.network = network.entry().name;
  info.fingerprint = cat(network.fingerprint(), ':', fingerprint(info.input));
  info.picks_task = scorer.picks_task();
  info.shares_parameters = !network.parameters().empty();
  info.isolates_tasks = !info.shares_parameters && scorer.picks_task();
  return info;
}

}  // namespace

std::vector<OptionSpec> embedding_options(const EmbeddingDefaults& defaults, bool has_head) {
  std::vector<OptionSpec> options = {
      text_option("network", "efficientnet_lite0",
                  "see `cadenza networks`; the paper's is vit_base_patch16"),
      text_option("weights", "", "a .safetensors file; empty: the network's default"),
      integer_option("size", 0, 0, 4096, "side of the input in pixels; 0: the network's own"),
      text_option("trainable", "last_2",
                  "all, none, or last_K: the last K stages (of a ViT: blocks); the paper: all"),
      choice_option("precision", "f32", {"f32", "bf16", "auto"},
                    "of training and of the frozen part; auto: bf16 where the processor has it"),
      choice_option("norm", "network", {"network", "imagenet"},
                    "mean and deviation of the input; the program: imagenet"),
      integer_option("epochs", 50, 0, 1'000'000, "passes over a step's images"),
      integer_option("batch", 32, 1, 65536, "images a training step"),
      choice_option("optimizer", "adam", {"adam", "adamw", "sgd"}, "how gradients become steps"),
      real_option("lr", 1e-4, 0, 10, "learning rate"),
      real_option("eps", 4e-4, 0, 1, "adam, adamw: damping of the step"),
      real_option("momentum", 0.9, 0, 1, "sgd"),
      real_option("weight_decay", 3e-5, 0, 10, "adam, sgd: added to the gradient"),
      flag_option("reset_optimizer", false, "forget the moments between steps"),
      choice_option("schedule", "cosine_restart_batch", {"cosine_restart_batch", "constant"},
                    "of the learning rate; the first restarts with every step"),
      choice_option("scorer", defaults.scorer,
                    {"dne", "gauss_current", "gauss_per_task", "knn_memory"},
                    "what is kept of embeddings, and how new ones are judged"),
      choice_option("density_precision", "f32_pinv", {"f32_pinv", "f64_full"},
                    "directions a Gaussian uses: those a float32 pseudo-inverse keeps, or all"),
      real_option("eig_cut", -1, -1, 1,
                  "leave out eigenvalues below this share of the largest; -1: by "
                  "density_precision"),
      choice_option("sampler", "symsqrt", {"symsqrt", "svd", "moments"},
                    "dne: how earlier tasks are drawn; moments: not drawn, exact"),
      integer_option("draws", 1, 1, 100, "dne: densities that are drawn and averaged"),
      real_option("noise_ratio", 0, 0, 1, "dne: share of a task's draws that is noise"),
      integer_option("knn_capacity", 2000, 1, 10'000'000, "knn_memory: embeddings kept a task"),
      choice_option("statistics", "augmented", {"augmented", "clean"},
                    "what the scorer learns: the training rows of the last evaluation epoch, or "
                    "the images as they are, by the final network"),
      integer_option("eval_every", 10, 1, 1'000'000,
                     "statistics=augmented: every so many epochs is an evaluation epoch"),
      choice_option("epoch_rule", "end", {"end", "start"},
                    "evaluation epochs end (10, 20, ...) or start (1, 11, ...) a round")};
  if (!has_head) return options;
  for (auto& option : options) {
    if (option.name == "scorer") option.choices.push_back("head");
  }
  options.push_back(choice_option("loss", "ce", {"ce", "ce_double_softmax"},
                                  "cross-entropy; of probabilities: an earlier release"));
  options.push_back(choice_option("fix_head", defaults.fix_head,
                                  {"none", "frozen", "momentum_leak"},
                                  "what the classifier does after the first step"));
  options.push_back(flag_option("random_aug", false,
                                "twins by CutPaste, scars or hidden cells, one of them at random"));
  return options;
}

OptionTexts tiny_embedding_options() {
  return {{"network", "vit_test"}, {"weights", "random:5"}, {"trainable", "last_1"},
          {"epochs", "2"},         {"batch", "8"},          {"lr", "0.001"}};
}

PairLoss pair_loss(const Options& options) {
  return options.text("loss") == "ce" ? PairLoss::kCrossEntropy : PairLoss::kOfSoftmax;
}

EmbeddingMethod::EmbeddingMethod(MethodInfo facts, const Options& options,
                                 const NetworkEnvironment& environment,
                                 std::unique_ptr<EmbeddingObjective> objective)
    : options_(options),
      objective_(std::move(objective)),
      network_(network_request(options), environment) {
  const auto n_classes = objective_->n_classes();
  if (n_classes > 0) {
    const auto device = parse_device(environment.device);
    const auto place = at::TensorOptions(at::kFloat).device(device);
    head_weight_ = at::zeros({n_classes, network_.n_dimensions()}, place).requires_grad_();
    head_bias_ = at::zeros({n_classes}, place).requires_grad_();
  }
  scorer_ = make_scorer(options, head_weight_, head_bias_);
  info_ = made_info(std::move(facts), options, network_, *scorer_);
  std::vector<std::string> names;
  std::vector<at::Tensor> parameters;
  for (const auto& [name, parameter] : network_.parameters()) {
    names.push_back(name);
    parameters.push_back(parameter);
  }
  if (head_weight_.defined()) {
    names.insert(names.end(), {"head.weight", "head.bias"});
    parameters.insert(parameters.end(), {head_weight_, head_bias_});
  }
  if (!parameters.empty()) {
    optimizer_ = std::make_unique<MomentOptimizer>(optimizer_spec(options), names, parameters);
  }
}

at::Tensor EmbeddingMethod::logits(const at::Tensor& embeddings) const {
  if (!head_weight_.defined()) return {};
  const bool is_fixed = n_steps_ > 0 && options_.text("fix_head") != "none";
  return at::linear(embeddings, is_fixed ? head_weight_.detach() : head_weight_,
                    is_fixed ? head_bias_.detach() : head_bias_);
}

at::Tensor EmbeddingMethod::row_losses(const Batch& batch, const at::Tensor& embeddings) const {
  return objective_->row_losses(embeddings, logits(embeddings), batch.labels, centre_);
}

TrainableView EmbeddingMethod::view(const TaskData& data, std::uint64_t seed) {
  TrainableView view;
  for (const auto& [name, parameter] : network_.parameters()) {
    view.names.push_back(name);
    view.parameters.push_back(parameter);
  }
  if (head_weight_.defined()) {
    view.names.insert(view.names.end(), {"head.weight", "head.bias"});
    view.parameters.insert(view.parameters.end(), {head_weight_, head_bias_});
    view.logits = [this](const Batch& batch) { return logits(network_.embeddings(batch.images)); };
  }
  view.embeddings = [this](const Batch& batch) { return network_.embeddings(batch.images); };
  view.sample_losses = [this](const Batch& batch) {
    return row_losses(batch, network_.embeddings(batch.images));
  };
  view.loss = [this](const Batch& batch) {
    const auto embeddings = network_.embeddings(batch.images);
    if (std::exchange(notes_next_, false)) {
      // A twin for every normal row, or none: the normal ones stand first.
      const auto n_rows = objective_->n_classes() > 0 ? batch.n_fresh / 2 : batch.n_fresh;
      noted_.rows.push_back(embeddings.detach().slice(0, 0, n_rows).to(at::kCPU).clone());
      noted_.task.push_back(batch.task.slice(0, 0, n_rows).clone());
    }
    return row_losses(batch, embeddings).mean();
  };
  const auto stored = std::make_shared<Rng>(seed, cat("stored augmentation ", step_name(data)));
  view.batch_from_pixels = [this, stored](const at::Tensor& pixels, const at::Tensor& task) {
    return objective_->rows(pixels, task, info_.input, *stored);
  };
  view.layer_input = [this](const std::string& name, const Batch& batch) {
    if (name != "head.weight") return network_.layer_input(name, batch.images);
    const c10::NoGradGuard no_grad;
    return network_.embeddings(batch.images).t().contiguous();
  };
  return view;
}

TrainingPlan EmbeddingMethod::plan(const TrainContext& context) const {
  TrainingPlan plan;
  plan.n_epochs = context.frozen || !info_.shares_parameters ? 0 : options_.integer("epochs");
  plan.batch_size = options_.integer("batch");
  plan.own_optimizer = optimizer_.get();
  if (options_.text("schedule") != "constant") {
    plan.schedule = [n_steps = n_steps_, period = std::max<std::int64_t>(plan.n_epochs, 1)](
                        std::int64_t epoch, std::int64_t batch) {
      return cosine_restart_factor(n_steps, epoch, batch, period);
    };
  }
  plan.seed = context.seed;
  plan.stop = context.stop;
  plan.strategy = context.strategy;
  plan.progress = context.progress;
  return plan;
}

void EmbeddingMethod::start_parameters(std::uint64_t seed) {
  if (n_steps_ == 0 && head_weight_.defined()) {
    const c10::NoGradGuard no_grad;
    constexpr double kDeviation = 0.02;
    Rng rng(seed, "head");
    at::Tensor start = at::empty(head_weight_.sizes(), at::kFloat);
    auto* value = start.mutable_data_ptr<float>();
    for (std::int64_t at = 0; at < start.numel(); ++at) {
      value[at] = static_cast<float>(kDeviation * rng.normal());
    }
    head_weight_.copy_(start);
    head_bias_.zero_();
  }
  if (optimizer_ && options_.flag("reset_optimizer")) optimizer_->forget();
  if (n_steps_ > 0 && head_weight_.defined() && options_.text("fix_head") != "none") {
    const auto how = options_.text("fix_head") == "frozen" ? MomentOptimizer::Stopped::kStays
                                                           : MomentOptimizer::Stopped::kLeaks;
    optimizer_->stop("head.weight", how);
    optimizer_->stop("head.bias", how);
  }
}

at::Tensor EmbeddingMethod::centre_of(const TaskData& data, const TrainContext& context) const {
  const c10::NoGradGuard no_grad;
  at::Tensor sum;
  const auto step = options_.integer("batch");
  for (std::int64_t first = 0; first < data.size(); first += step) {
    CADENZA_REQUIRE(!context.stop.stop_requested(), ErrorCode::kCancelled, "training of '",
                    step_name(data), "' was stopped");
    const auto last = std::min(data.size(), first + step);
    const auto part = network_.embeddings(normalised(data.pixels(first, last), info_.input)).sum(0);
    sum = sum.defined() ? sum + part : part;
  }
  return sum / double(data.size());
}

EmbeddingMethod::Noted EmbeddingMethod::embeddings_of(const TaskData& data,
                                                      const TrainContext& context) {
  const c10::NoGradGuard no_grad;
  Noted noted;
  Rng rng(context.seed, cat("statistics ", step_name(data)));
  const auto step = options_.integer("batch");
  for (std::int64_t first = 0; first < data.size(); first += step) {
    CADENZA_REQUIRE(!context.stop.stop_requested(), ErrorCode::kCancelled, "training of '",
                    step_name(data), "' was stopped");
    std::vector<std::int64_t> rows;
    for (auto row = first; row < std::min(data.size(), first + step); ++row) rows.push_back(row);
    const auto [pixels, task] = original_rows(data, rows);
    const auto images =
        options_.text("statistics") == "clean"
            ? normalised(pixels, info_.input)
            : objective_->rows(pixels, task, info_.input, rng).images.slice(0, 0, pixels.size(0));
    noted.rows.push_back(network_.infer(images));
    noted.task.push_back(task);
  }
  return noted;
}

bool EmbeddingMethod::is_evaluation(std::int64_t epoch) const {
  const auto every = options_.integer("eval_every");
  return options_.text("epoch_rule") == "end" ? (epoch + 1) % every == 0 : epoch % every == 0;
}

void EmbeddingMethod::learn(const TaskData& data, const Noted& noted, const TrainContext& context) {
  const auto rows = at::cat(noted.rows), task = at::cat(noted.task);
  std::vector<TaskEmbeddings> step;
  for (const auto& ref : data.tasks()) {
    const auto own = (task == ref.id).nonzero().view({-1});
    CADENZA_REQUIRE(own.numel() > 0, ErrorCode::kInvalidArgument, "training: task '", ref.name,
                    "' has no images");
    step.push_back({ref.id, ref.name, rows.index_select(0, own)});
  }
  scorer_->learn(step, context.seed);
  const auto remark = scorer_->remark();
  if (!remark.empty()) context.progress->note(cat(step_name(data), ": ", remark));
}

void EmbeddingMethod::train_task(const TaskData& data, const TrainContext& context) {
  CADENZA_REQUIRE(data.size() >= 1, ErrorCode::kInvalidArgument, "training: no images");
  start_parameters(context.seed);
  centre_ = objective_->needs_centre() ? centre_of(data, context) : at::Tensor();
  for (const auto& task : data.tasks()) {
    if (std::ranges::find(tasks_, task.id) == tasks_.end()) tasks_.push_back(task.id);
  }
  auto trainable = view(data, context.seed);
  auto how = plan(context);
  const bool is_clean = options_.text("statistics") == "clean";
  Noted latest;
  bool had_evaluation = false;
  how.after_epoch = [&](std::int64_t epoch) {
    if (is_evaluation(epoch) || !had_evaluation) latest = std::exchange(noted_, {});
    had_evaluation = had_evaluation || is_evaluation(epoch);
    noted_ = {};
    if (!context.after_epoch) return true;
    network_.refresh();
    learn(data, is_clean ? embeddings_of(data, context) : latest, context);
    return context.after_epoch(epoch, *this);
  };
  const auto make_batch = [&](std::span<const std::int64_t> rows, Rng& rng) {
    const auto [pixels, task] = original_rows(data, rows);
    notes_next_ = !is_clean;
    return objective_->rows(pixels, task, info_.input, rng);
  };
  if (info_.shares_parameters) run_training_loop(data, trainable, make_batch, how);
  network_.refresh();
  ++n_steps_;
  const bool is_noted = how.n_epochs > 0 && !is_clean;
  learn(data, is_noted ? latest : embeddings_of(data, context), context);
  centre_ = at::Tensor();
}

ScoreBatch EmbeddingMethod::score(const at::Tensor& images, const ScoreRequest& request) const {
  CADENZA_REQUIRE(!tasks_.empty(), ErrorCode::kInvalidArgument, "method '", info_.name,
                  "': no task was learned yet");
  const auto height = info_.input.height_px, width = info_.input.width_px;
  require_shape(images, {kAnySize, 3, height, width}, cat("images [B,3,", height, ",", width, "]"));
  for (const auto id : request.candidates) {
    CADENZA_REQUIRE(std::ranges::find(tasks_, id) != tasks_.end(), ErrorCode::kInvalidArgument,
                    "method '", info_.name, "': there is no task ", id);
  }
  at::Tensor embeddings;
  {
    const StageClock::Span span(request.clock, Stage::kNetwork);
    embeddings = network_.infer(images);
  }
  const StageClock::Span span(request.clock, Stage::kScore);
  auto found = scorer_->score(embeddings, request.candidates);
  ScoreBatch batch{.image_score = found.score.to(at::kFloat).contiguous()};
  if (found.task) {
    batch.task = *found.task;
    batch.task_distance = found.task_distance->to(at::kFloat).contiguous();
  }
  return batch;
}

MethodState EmbeddingMethod::save() const {
  MethodState state;
  state.shared.tensors["order"] = at::tensor(tasks_, at::kLong);
  state.shared.texts["steps"] = std::to_string(n_steps_);
  network_.save("network.", state.shared);
  if (head_weight_.defined()) {
    state.shared.tensors["head.weight"] = head_weight_.detach().to(at::kCPU).clone();
    state.shared.tensors["head.bias"] = head_bias_.detach().to(at::kCPU).clone();
  }
  if (optimizer_ && !options_.flag("reset_optimizer")) optimizer_->save("moments.", state.shared);
  scorer_->save(state);
  for (const auto id : tasks_) state.tasks[id];
  return state;
}

void EmbeddingMethod::load(const MethodState& state) {
  PieceReader shared(state.shared, "shared");
  std::map<TaskId, PieceReader> pieces;
  for (const auto& [id, piece] : state.tasks) {
    pieces.emplace(id, PieceReader(piece, cat("task ", id)));
  }
  const auto order = shared.tensor("order").contiguous();
  tasks_.assign(order.const_data_ptr<std::int64_t>(),
                order.const_data_ptr<std::int64_t>() + order.numel());
  n_steps_ = std::stoll(shared.text("steps"));
  network_.load("network.", shared);
  if (head_weight_.defined()) {
    const c10::NoGradGuard no_grad;
    head_weight_.copy_(shared.tensor("head.weight"));
    head_bias_.copy_(shared.tensor("head.bias"));
  }
  if (optimizer_ && !options_.flag("reset_optimizer")) optimizer_->load("moments.", shared);
  scorer_->load({shared, pieces});
  shared.finish();
  for (const auto& [id, reader] : pieces) reader.finish();
}

}  // namespace cadenza
