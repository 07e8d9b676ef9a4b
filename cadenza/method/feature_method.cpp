#include "cadenza/method/feature_method.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "cadenza/base/error.h"
#include "cadenza/dataset/preprocess.h"
#include "cadenza/method/original_rows.h"
#include "cadenza/tensor/shape.h"

namespace cadenza {

namespace {

MethodInfo made_info(MethodInfo info, const FeatureExtractor& extractor,
                     const FeatureSource& source, std::int64_t size_px) {
  info.input.height_px = size_px;
  info.input.width_px = size_px;
  info.input.mean = extractor.entry().mean;
  info.input.stddev = extractor.entry().stddev;
  info.network = extractor.entry().name;
  info.fingerprint =
      cat(extractor.fingerprint(), ":sizes=", source.n_sizes, ":", fingerprint(info.input));
  return info;
}

OptimizerSpec optimizer_spec(const FeatureDefaults& defaults, const Options& options) {
  return {.kind = parse_optimizer_kind(options.text("optimizer")),
          .learning_rate = options.real("lr"),
          .weight_decay = options.real("weight_decay"),
          .momentum = options.real("momentum"),
          .beta1 = defaults.beta1,
          .beta2 = defaults.beta2,
          .epsilon = options.real("eps")};
}

std::vector<std::vector<std::int64_t>> shapes_of(const FeatureExtractor& extractor) {
  std::vector<std::vector<std::int64_t>> shapes;
  for (const auto& tap : extractor.taps()) {
    CADENZA_REQUIRE(tap.shape.size() == 4, ErrorCode::kInvalidArgument, "taps: '", tap.name,
                    "' of network '", extractor.entry().name,
                    "' is no grid of features; take stages or blocks");
    shapes.emplace_back(tap.shape.begin() + 1, tap.shape.end());
  }
  return shapes;
}

}  // namespace

std::vector<OptionSpec> feature_options(const FeatureDefaults& defaults) {
  return {
      text_option("network", "efficientnet_lite0", "the frozen one; see `cadenza networks`"),
      text_option("weights", "", "a .safetensors file; empty: the network's default"),
      text_option("taps", defaults.taps, "places of the network that are learned, comma separated"),
      integer_option("size", defaults.size_px, 16, 4096, "side of the input in pixels"),
      choice_option("precision", "f32", {"f32", "bf16", "auto"}, "of the frozen network"),
      integer_option("epochs", defaults.epochs, 0, 1'000'000, "passes over a step's images"),
      integer_option("batch", defaults.batch, 1, 65536, "images a training step"),
      choice_option("optimizer", "adam", {"adam", "adamw", "sgd"}, "how gradients become steps"),
      real_option("lr", defaults.learning_rate, 0, 10, "learning rate"),
      real_option("eps", defaults.epsilon, 0, 1, "adam, adamw: damping of the step"),
      real_option("momentum", 0.9, 0, 1, "sgd"),
      real_option("weight_decay", defaults.weight_decay, 0, 10, "adam, sgd: added to the gradient"),
      real_option("clip_norm", defaults.clip_norm, 0, 1e9,
                  "largest norm of all gradients together; 0: none"),
      choice_option("augment", "weak", {"weak", "none"}, "colour jitter and turns of up to 90")};
}

std::vector<std::string> parse_taps(const Options& options) {
  const auto& text = options.text("taps");
  std::vector<std::string> taps;
  for (std::size_t start = 0; start <= text.size();) {
    const auto end = std::min(text.find(',', start), text.size());
    if (end > start) taps.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return taps;
}

FeatureMethod::FeatureMethod(MethodInfo facts, const FeatureDefaults& defaults,
                             const Options& options, const NetworkEnvironment& environment,
                             const FeatureSource& source, const MakeModel& make_model)
    : options_(options), device_(parse_device(environment.device)) {
  const auto size_px = options.integer("size");
  CADENZA_REQUIRE(size_px % (std::int64_t{1} << (source.n_sizes - 1)) == 0,
                  ErrorCode::kInvalidArgument, "size ", size_px, ": expected a multiple of ",
                  std::int64_t{1} << (source.n_sizes - 1), ", since the image is halved ",
                  source.n_sizes - 1, " times");
  std::vector<std::vector<std::int64_t>> shapes;
  for (std::int64_t size = 0; size < source.n_sizes; ++size) {
    extractors_.push_back(
        std::make_unique<FeatureExtractor>(FeatureRequest{.network = options.text("network"),
                                                          .taps = source.taps,
                                                          .height_px = size_px >> size,
                                                          .width_px = size_px >> size,
                                                          .weights = options.text("weights"),
                                                          .precision = options.text("precision")},
                                           environment));
    const auto own = shapes_of(*extractors_.back());
    shapes.insert(shapes.end(), own.begin(), own.end());
  }
  info_ = made_info(std::move(facts), *extractors_.front(), source, size_px);
  model_ = make_model(shapes, device_);
  if (options.text("augment") == "weak") augmentation_ = make_compact_objective();

  std::vector<std::string> names;
  std::vector<at::Tensor> parameters;
  for (const auto& [name, parameter] : model_->layers().parameters()) {
    names.push_back(name);
    parameters.push_back(parameter);
  }
  optimizer_ =
      std::make_unique<MomentOptimizer>(optimizer_spec(defaults, options), names, parameters);
}

FeatureModel::Features FeatureMethod::extract(const at::Tensor& images) const {
  const c10::NoGradGuard no_grad;
  FeatureModel::Features features;
  auto scaled = images;
  for (const auto& extractor : extractors_) {
    if (!features.empty()) scaled = at::avg_pool2d(scaled, 2);
    for (const auto& feature : extractor->extract(scaled.contiguous())) {
      features.push_back(feature.to(device_));
    }
  }
  return features;
}

const FeatureModel::Features& FeatureMethod::features_of(const at::Tensor& images) {
  if (!last_.images.is_same(images)) last_ = {images, extract(images)};
  return last_.features;
}

at::Tensor FeatureMethod::layer_input(const std::string& name, const Batch& batch) {
  if (!recorded_.images.is_same(batch.images)) {
    const c10::NoGradGuard no_grad;
    const auto& features = features_of(batch.images);
    recorded_ = {batch.images,
                 model_->layers().record([&] { model_->row_losses(features, false); })};
  }
  const auto found = recorded_.columns.find(name);
  return found == recorded_.columns.end() ? at::Tensor() : found->second;
}

TrainableView FeatureMethod::view(const TaskData& data, std::uint64_t seed) {
  TrainableView view;
  for (const auto& [name, parameter] : model_->layers().parameters()) {
    view.names.push_back(name);
    view.parameters.push_back(parameter);
  }
  view.loss = [this](const Batch& batch) {
    return model_->row_losses(features_of(batch.images), true).mean();
  };
  view.sample_losses = [this](const Batch& batch) {
    return model_->row_losses(features_of(batch.images), false);
  };
  view.embeddings = [this](const Batch& batch) {
    return model_->embeddings(features_of(batch.images));
  };
  const auto stored = std::make_shared<Rng>(seed, cat("stored augmentation ", step_name(data)));
  view.batch_from_pixels = [this, stored](const at::Tensor& pixels, const at::Tensor& task) {
    if (augmentation_) return augmentation_->rows(pixels, task, info_.input, *stored);
    return Batch{
        .images = normalised(pixels, info_.input), .pixels = {}, .labels = {}, .task = task};
  };
  view.layer_input = [this](const std::string& name, const Batch& batch) {
    return layer_input(name, batch);
  };
  return view;
}

TrainingPlan FeatureMethod::plan(const TrainContext& context) const {
  TrainingPlan plan;
  plan.n_epochs = context.frozen ? 0 : options_.integer("epochs");
  plan.batch_size = options_.integer("batch");
  plan.clip_norm = options_.real("clip_norm");
  plan.own_optimizer = optimizer_.get();
  plan.seed = context.seed;
  plan.stop = context.stop;
  plan.strategy = context.strategy;
  plan.progress = context.progress;
  return plan;
}

void FeatureMethod::train_task(const TaskData& data, const TrainContext& context) {
  if (n_steps_ == 0) {
    model_->layers().start(context.seed);
    model_->draw(context.seed);
  }
  for (const auto& task : data.tasks()) {
    if (std::ranges::find(tasks_, task.id) == tasks_.end()) tasks_.push_back(task.id);
  }
  auto trainable = view(data, context.seed);
  auto how = plan(context);
  if (context.after_epoch) {
    how.after_epoch = [&](std::int64_t epoch) { return context.after_epoch(epoch, *this); };
  }
  const auto make_batch = [&](std::span<const std::int64_t> rows, Rng& rng) {
    const auto [pixels, task] = original_rows(data, rows);
    if (augmentation_) return augmentation_->rows(pixels, task, info_.input, rng);
    return Batch{
        .images = normalised(pixels, info_.input), .pixels = {}, .labels = {}, .task = task};
  };
  run_training_loop(data, trainable, make_batch, how);
  ++n_steps_;
  last_ = {};
  recorded_ = {};
}

ScoreBatch FeatureMethod::score(const at::Tensor& images, const ScoreRequest& request) const {
  CADENZA_REQUIRE(!tasks_.empty(), ErrorCode::kInvalidArgument, "method '", info_.name,
                  "': no task was learned yet");
  const auto size = info_.input.height_px;
  require_shape(images, {kAnySize, 3, size, size}, cat("images [B,3,", size, ",", size, "]"));
  for (const auto id : request.candidates) {
    CADENZA_REQUIRE(std::ranges::find(tasks_, id) != tasks_.end(), ErrorCode::kInvalidArgument,
                    "method '", info_.name, "': there is no task ", id);
  }
  FeatureModel::Features features;
  {
    const StageClock::Span span(request.clock, Stage::kNetwork);
    features = extract(images);
  }
  const StageClock::Span span(request.clock, Stage::kScore);
  const c10::NoGradGuard no_grad;
  const auto found = model_->score(features);
  const auto on_cpu = [](const at::Tensor& tensor) {
    return tensor.to(at::kCPU, at::kFloat).contiguous();
  };
  return {.image_score = on_cpu(found.image), .anomaly_map = on_cpu(found.map)};
}

MethodState FeatureMethod::save() const {
  MethodState state;
  state.shared.tensors["order"] = at::tensor(tasks_, at::kLong);
  state.shared.texts["steps"] = std::to_string(n_steps_);
  model_->layers().save("layers.", state.shared);
  model_->save(state.shared);
  optimizer_->save("moments.", state.shared);
  for (const auto id : tasks_) state.tasks[id];
  return state;
}

void FeatureMethod::load(const MethodState& state) {
  PieceReader shared(state.shared, "shared");
  const auto order = shared.tensor("order").contiguous();
  tasks_.assign(order.const_data_ptr<std::int64_t>(),
                order.const_data_ptr<std::int64_t>() + order.numel());
  n_steps_ = std::stoll(shared.text("steps"));
  model_->layers().load("layers.", shared);
  model_->load(shared);
  optimizer_->load("moments.", shared);
  shared.finish();
  for (const auto& [id, piece] : state.tasks) PieceReader(piece, cat("task ", id)).finish();
}

}  // namespace cadenza
