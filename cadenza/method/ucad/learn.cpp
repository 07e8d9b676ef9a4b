#include "cadenza/method/ucad/learn.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "cadenza/base/error.h"
#include "cadenza/continual/training_loop.h"
#include "cadenza/method/ucad/prompt.h"
#include "cadenza/structure/contrastive/scl.h"

namespace cadenza {
namespace {

/// What the prompted pass and the loss are to strategies.
class PromptTraining {
 public:
  PromptTraining(const PromptedVit& vit, const UcadSettings& settings, TrainingImages& images,
                 const TaskData& data, const at::Tensor& start)
      : settings_(settings),
        images_(images),
        data_(data),
        network_(vit.trainable()),
        device_(vit.device()),
        prompt_(start.to(device_).clone().requires_grad_()) {}

  const at::Tensor& prompt() const noexcept { return prompt_; }

  TrainableView view() {
    TrainableView view;
    view.names = {"prompt"};
    view.parameters = {prompt_};
    view.embeddings = [this](const Batch& batch) { return features(batch).mean({1}); };
    view.loss = [this](const Batch& batch) {
      return structure_contrastive_loss(features(batch), labels(batch), settings_.temperature);
    };
    view.sample_losses = [this](const Batch& batch) {
      const auto found = features(batch), regions = labels(batch);
      std::vector<at::Tensor> losses;
      for (std::int64_t row = 0; row < found.size(0); ++row) {
        losses.push_back(structure_contrastive_loss(
            found.slice(0, row, row + 1), regions.slice(0, row, row + 1), settings_.temperature));
      }
      return at::stack(losses);
    };
    view.batch_from_pixels = [this](const at::Tensor& pixels, const at::Tensor& task) {
      return Batch{
          .images = images_.fed_pixels(pixels), .pixels = pixels, .labels = {}, .task = task};
    };
    // A prompt is no layer's weight.
    view.layer_input = [](const std::string&, const Batch&) { return at::Tensor(); };
    return view;
  }

  Batch batch(std::span<const std::int64_t> rows) {
    std::vector<at::Tensor> pixels;
    std::vector<std::int64_t> tasks;
    for (const auto row : rows) {
      const auto which = data_.task(row, row + 1).item<std::int64_t>();
      tasks.push_back(data_.tasks()[static_cast<std::size_t>(which)].id);
      if (settings_.shared_prompt) pixels.push_back(data_.pixels(row, row + 1));
    }
    return Batch{.images = images_.fed(rows),
                 .pixels = pixels.empty() ? at::Tensor() : at::cat(pixels),
                 .labels = {},
                 .task = at::tensor(tasks, at::kLong)};
  }

 private:
  at::Tensor features(const Batch& batch) const {
    const auto n_images = batch.images.size(0);
    const auto sizes = prompt_.sizes();
    const auto all =
        prompt_.unsqueeze(0).expand({n_images, sizes[0], sizes[1], sizes[2], sizes[3]});
    const auto mixing = settings_.compat ? PromptMixing::kReleased : PromptMixing::kClean;
    return network_.features(split_fed(batch.images).tokens, prompt_tokens(all, mixing));
  }
  at::Tensor labels(const Batch& batch) const { return split_fed(batch.images).labels.to(device_); }

  const UcadSettings& settings_;
  TrainingImages& images_;
  const TaskData& data_;
  PromptedVit::Trainable network_;
  at::Device device_;
  at::Tensor prompt_;
};

std::vector<std::int64_t> rows_of(const TaskData& data, std::size_t task) {
  std::vector<std::int64_t> rows;
  for (std::int64_t row = 0; row < data.size(); ++row) {
    if (data.task(row, row + 1).item<std::int64_t>() == static_cast<std::int64_t>(task)) {
      rows.push_back(row);
    }
  }
  CADENZA_REQUIRE(!rows.empty(), ErrorCode::kInvalidArgument, "task '", data.tasks()[task].name,
                  "': expected at least one image, found none");
  return rows;
}

/// The rows of `values`, which came in `order`, in that of the training images.
at::Tensor in_training_order(const at::Tensor& values, const std::vector<std::int64_t>& order) {
  return values.index_select(0, at::tensor(order, at::kLong).argsort());
}

std::vector<float> numbers(const at::Tensor& values) {
  const auto flat = values.contiguous();
  return {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()};
}

/// Of left-out distances [T,N] to keys.
void set_distances(TaskMemory& memory, KeyPool pool, const at::Tensor& left_out) {
  memory.distances.clear();
  memory.typical_distance = 1;
  if (!left_out.isfinite().all().item<bool>()) return;
  const auto pooled =
      pool == KeyPool::kMax ? left_out.amax({1}) : left_out.square().mean({1}).sqrt();
  memory.distances = numbers(pooled);
  const auto median = pooled.median().item<double>();
  if (median > 0) memory.typical_distance = median;
}

/// Of left-out distances [T,N] to the knowledge.
void set_scores(TaskMemory& memory, const UcadSettings& settings, std::int64_t grid_side,
                const at::Tensor& left_out) {
  memory.scores.clear();
  if (!left_out.isfinite().all().item<bool>()) return;
  const auto patches = patch_scores_of(left_out, settings);
  memory.scores = numbers(patches.amax({1}));
  memory.map_threshold =
      patch_map(patches, grid_side, grid_side, settings.smoothing()).max().item<double>();
}

}  // namespace

TrainingGroup::TrainingGroup(const PromptedVit& vit, const PatchEmbedding& embedding,
                             const UcadSettings& settings, const InputSpec& input,
                             const TaskData& data, const TrainContext& context)
    : vit_(vit),
      embedding_(embedding),
      settings_(settings),
      data_(data),
      context_(context),
      images_(vit, settings, input, data, context) {
  for (std::size_t index = 0; index < data.tasks().size(); ++index) {
    const auto& ref = data.tasks()[index];
    tasks_.push_back(
        {.ref = ref,
         .rows = rows_of(data, index),
         .random = std::make_unique<CoresetRandom>(context.seed, ref.name, settings.compat),
         .memory = {}});
  }
  for (auto& task : tasks_) learn_keys(task);
}

std::vector<std::int64_t> TrainingGroup::visiting_order(OneTask& task) {
  if (!settings_.compat) return task.rows;
  std::vector<std::int64_t> order;
  for (const auto place : task.random->released().shuffled_pass(std::ssize(task.rows))) {
    order.push_back(task.rows[static_cast<std::size_t>(place)]);
  }
  return order;
}

at::Tensor TrainingGroup::features(std::span<const std::int64_t> rows, const Pass& pass) {
  const c10::NoGradGuard no_grad;
  const auto n_rows = std::ssize(rows);
  auto all = at::empty({n_rows, vit_.n_patches(), embedding_.dim()}, at::kFloat);
  for (std::int64_t first = 0; first < n_rows; first += settings_.batch_size) {
    const auto last = std::min(n_rows, first + settings_.batch_size);
    const auto batch =
        rows.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first));
    all.slice(0, first, last).copy_(embedding_(pass(images_.tokens(batch))));
    context_.progress->advance(last - first);
  }
  return all;
}

void TrainingGroup::learn_keys(OneTask& task) {
  context_.progress->begin(cat(task.ref.name, ": keys"), std::ssize(task.rows));
  const auto order = visiting_order(task);
  const auto plain = features(order, [&](const at::Tensor& tokens) { return vit_.plain(tokens); });
  context_.progress->end();
  auto n_kept = settings_.key_size;
  if (!settings_.has_prompt()) {
    n_kept = std::max({n_kept, settings_.memory_size, settings_.basic_size});
  }
  const auto picked = pick_rows(settings_, plain, n_kept, *task.random, context_.stop);
  const auto keys = picked.first(settings_.key_size);
  task.memory.keys = keys.rows;
  set_distances(task.memory, settings_.key_pool,
                in_training_order(left_out_distances(keys, plain), order));
  if (settings_.has_prompt()) return;
  const auto knowledge = picked.first(settings_.memory_size);
  task.memory.knowledge = knowledge.rows;
  if (settings_.basic_size > 0) task.memory.basic = picked.first(settings_.basic_size).rows;
  set_scores(task.memory, settings_, vit_.rows(),
             in_training_order(left_out_distances(knowledge, plain), order));
}

void TrainingGroup::learn_knowledge(OneTask& task, const at::Tensor& prompt) {
  const auto mixing = settings_.compat ? PromptMixing::kReleased : PromptMixing::kClean;
  const auto pass = [&](const at::Tensor& tokens) {
    const auto all = prompt.unsqueeze(0).expand(
        {tokens.size(0), prompt.size(0), prompt.size(1), prompt.size(2), prompt.size(3)});
    return vit_.prompted(tokens, prompt_tokens(all, mixing));
  };
  context_.progress->begin(cat(task.ref.name, ": knowledge"), std::ssize(task.rows));
  if (settings_.compat && settings_.basic_size > 0) {
    // The released program makes a pass and a coreset for each of its two memories, and a pass over
    // the test images after each.
    const auto larger = features(visiting_order(task), pass);
    task.memory.basic =
        pick_rows(settings_, larger, settings_.basic_size, *task.random, context_.stop).rows;
    task.random->released().ordered_pass();
  }
  const auto order = visiting_order(task);
  const auto prompted = features(order, pass);
  context_.progress->end();
  const auto n_kept = settings_.compat ? settings_.memory_size
                                       : std::max(settings_.memory_size, settings_.basic_size);
  const auto picked = pick_rows(settings_, prompted, n_kept, *task.random, context_.stop);
  if (settings_.compat) task.random->released().ordered_pass();
  if (!settings_.compat && settings_.basic_size > 0) task.memory.basic = picked.rows;
  const auto knowledge = picked.first(settings_.memory_size);
  task.memory.knowledge = knowledge.rows;
  set_scores(task.memory, settings_, vit_.rows(),
             in_training_order(left_out_distances(knowledge, prompted), order));
}

at::Tensor TrainingGroup::train(const at::Tensor& start, const AfterEpoch& after_epoch) {
  PromptTraining training(vit_, settings_, images_, data_, start);
  TrainingPlan plan;
  plan.n_epochs = context_.frozen ? 0 : settings_.epochs;
  plan.batch_size = settings_.batch_size;
  plan.clip_norm = settings_.clip_norm;
  plan.optimizer = {.kind = OptimizerKind::kAdam,
                    .learning_rate = settings_.learning_rate,
                    .weight_decay = settings_.weight_decay};
  plan.seed = context_.seed;
  plan.stop = context_.stop;
  plan.strategy = settings_.shared_prompt ? context_.strategy : nullptr;
  plan.progress = context_.progress;
  if (settings_.compat) {
    plan.order = [this](std::int64_t n) { return tasks_[0].random->released().shuffled_pass(n); };
  }
  const auto prompt = [&] { return training.prompt().detach().to(at::kCPU).clone(); };
  if (after_epoch) {
    plan.after_epoch = [&](std::int64_t epoch) { return after_epoch(epoch, prompt()); };
  }
  auto view = training.view();
  const auto make_batch = [&](std::span<const std::int64_t> rows, Rng&) {
    return training.batch(rows);
  };
  run_training_loop(data_, view, make_batch, plan);
  return prompt();
}

std::map<TaskId, TaskMemory> TrainingGroup::memories(const at::Tensor& prompt) {
  std::map<TaskId, TaskMemory> all;
  for (auto& task : tasks_) {
    if (prompt.defined()) learn_knowledge(task, prompt);
    all[task.ref.id] = task.memory;
    if (prompt.defined() && !settings_.shared_prompt) all[task.ref.id].prompt = prompt;
  }
  return all;
}

}  // namespace cadenza
