#include "cadenza/method/dual_prompt/learn.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "cadenza/base/error.h"
#include "cadenza/continual/training_loop.h"
#include "cadenza/structure/contrastive/scl.h"

namespace cadenza::dual_prompt {
namespace {

/// AdamW with a rate and a decay for prompts and another for the head.
class SplitOptimizer final : public Optimizer {
 public:
  SplitOptimizer(const std::vector<std::string>& names, const std::vector<at::Tensor>& parameters) {
    std::vector<at::Tensor> prompts, head;
    for (std::size_t index = 0; index < names.size(); ++index) {
      (names[index].starts_with("head.") ? head : prompts).push_back(parameters[index]);
    }
    const auto add = [&](const std::vector<at::Tensor>& group, double rate, double decay) {
      if (group.empty()) return;
      parts_.push_back(make_optimizer(
          {.kind = OptimizerKind::kAdamW, .learning_rate = rate, .weight_decay = decay}, group));
    };
    add(prompts, 2e-4, 0);
    add(head, 5e-4, 0.05);
  }
  void step(double learning_rate_factor) override {
    for (const auto& part : parts_) part->step(learning_rate_factor);
  }

 private:
  std::vector<std::unique_ptr<Optimizer>> parts_;
};

/// What the prompted pass and the loss are to strategies.
class PromptTraining {
 public:
  PromptTraining(const PromptedNetwork& network, const DualPromptSettings& settings,
                 TrainingImages& images, const TaskData& data, const DualPrompt& start)
      : settings_(settings),
        images_(images),
        data_(data),
        network_(network.trainable()),
        device_(network.device()) {
    for (const auto& [name, tensor] : start) {
      auto& mine = prompt_[name] = tensor.to(device_).clone();
      if (is_trained(settings, name)) mine.requires_grad_();
    }
  }

  DualPrompt prompt() const {
    DualPrompt now;
    for (const auto& [name, tensor] : prompt_) {
      now[name] = tensor.detach().to(at::kCPU).clone();
    }
    return now;
  }

  TrainableView view() {
    TrainableView view;
    for (const auto& [name, tensor] : prompt_) {
      if (!tensor.requires_grad()) continue;
      view.names.push_back(name);
      view.parameters.push_back(tensor);
    }
    view.embeddings = [this](const Batch& batch) { return cells(batch).mean({1}); };
    view.loss = [this](const Batch& batch) {
      return structure_contrastive_loss(cells(batch), labels(batch), settings_.temperature);
    };
    view.sample_losses = [this](const Batch& batch) {
      const auto found = cells(batch), regions = labels(batch);
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
    // Prompts are no layer's weight, and the head's input is no image's alone.
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
  at::Tensor cells(const Batch& batch) const {
    return projected_cells(prompt_, network_.features(images_.prefix_of(batch.images), prompt_));
  }
  at::Tensor labels(const Batch& batch) const {
    return images_.labels_of(batch.images).to(device_);
  }

  const DualPromptSettings& settings_;
  TrainingImages& images_;
  const TaskData& data_;
  PromptedNetwork::Trainable network_;
  at::Device device_;
  DualPrompt prompt_;
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

}  // namespace

Training::Training(const PromptedNetwork& network, const PatchEmbedding& embedding,
                   const DualPromptSettings& settings, const InputSpec& input, const TaskData& data,
                   const TrainContext& context)
    : network_(network),
      embedding_(embedding),
      settings_(settings),
      data_(data),
      context_(context),
      images_(network, settings, input, data, context) {
  for (std::size_t index = 0; index < data.tasks().size(); ++index) {
    tasks_.push_back({.ref = data.tasks()[index], .rows = rows_of(data, index), .memory = {}});
  }
  for (auto& task : tasks_) learn_keys(task);
}

at::Tensor Training::cells(const OneTask& task, std::int64_t dim, const Pass& pass) {
  const c10::NoGradGuard no_grad;
  const auto n_images = std::ssize(task.rows);
  auto all = at::empty({n_images, network_.rows() * network_.columns(), dim}, at::kFloat);
  for (std::int64_t first = 0; first < n_images; first += settings_.batch_size) {
    const auto last = std::min(n_images, first + settings_.batch_size);
    const std::span rows(task.rows.data() + first, static_cast<std::size_t>(last - first));
    all.slice(0, first, last).copy_(pass(images_.prefix(rows)));
    context_.progress->advance(last - first);
  }
  return all;
}

PickedPatches Training::pick(const OneTask& task, const at::Tensor& cells, std::int64_t k) const {
  return pick_patches(cells, k,
                      {.sampler = settings_.sampler,
                       .projection_dim = settings_.projection_dim,
                       .n_start_rows = settings_.n_start_rows,
                       .seed = context_.seed,
                       .stream = task.ref.name},
                      context_.stop);
}

void Training::learn_keys(OneTask& task) {
  context_.progress->begin(cat(task.ref.name, ": keys"), std::ssize(task.rows));
  const auto plain = cells(task, network_.n_channels(), [&](const at::Tensor& prefix) {
    return projected_cells({}, network_.plain(prefix));
  });
  context_.progress->end();
  if (!settings_.one_memory()) {
    task.memory.set_keys(pick(task, plain, settings_.key_size), plain, settings_);
    if (!settings_.has_prompt()) keep_knowledge(task, embedding_(plain));
    return;
  }
  const auto picked = pick(
      task, plain, std::max({settings_.key_size, settings_.memory_size, settings_.basic_size}));
  task.memory.set_keys(picked.first(settings_.key_size), plain, settings_);
  task.memory.set_knowledge(picked.first(settings_.memory_size), plain, network_, settings_);
  if (settings_.basic_size > 0) {
    task.memory.basic = picked.first(settings_.basic_size).rows;
  }
}

void Training::learn_knowledge(OneTask& task, const DualPrompt& prompt) {
  context_.progress->begin(cat(task.ref.name, ": knowledge"), std::ssize(task.rows));
  const auto prompted = cells(task, embedding_.dim(), [&](const at::Tensor& prefix) {
    return embedding_(projected_cells(prompt, network_.prompted(prefix, prompt)));
  });
  context_.progress->end();
  keep_knowledge(task, prompted);
}

void Training::keep_knowledge(OneTask& task, const at::Tensor& embedded) {
  const auto picked = pick(task, embedded, std::max(settings_.memory_size, settings_.basic_size));
  task.memory.set_knowledge(picked.first(settings_.memory_size), embedded, network_, settings_);
  if (settings_.basic_size > 0) task.memory.basic = picked.rows;
}

DualPrompt Training::train(const DualPrompt& start, const AfterEpoch& after_epoch) {
  PromptTraining training(network_, settings_, images_, data_, start);
  auto view = training.view();
  TrainingPlan plan;
  plan.n_epochs = context_.frozen || view.parameters.empty() ? 0 : settings_.epochs;
  plan.batch_size = settings_.batch_size;
  plan.clip_norm = settings_.clip_norm;
  plan.optimizer = {.kind = OptimizerKind::kAdam,
                    .learning_rate = settings_.learning_rate,
                    .weight_decay = settings_.weight_decay};
  SplitOptimizer split(view.names, view.parameters);
  if (settings_.groups == OptimizerGroups::kSplit) plan.own_optimizer = &split;
  plan.seed = context_.seed;
  plan.stop = context_.stop;
  plan.strategy = settings_.shared_prompt ? context_.strategy : nullptr;
  plan.progress = context_.progress;
  if (after_epoch) {
    plan.after_epoch = [&](std::int64_t epoch) { return after_epoch(epoch, training.prompt()); };
  }
  run_training_loop(
      data_, view, [&](std::span<const std::int64_t> rows, Rng&) { return training.batch(rows); },
      plan);
  return training.prompt();
}

std::map<TaskId, TaskMemory> Training::memories(const DualPrompt& prompt) {
  std::map<TaskId, TaskMemory> all;
  for (auto& task : tasks_) {
    if (!prompt.empty()) learn_knowledge(task, prompt);
    all[task.ref.id] = task.memory;
    if (!settings_.shared_prompt) all[task.ref.id].prompt = prompt;
  }
  return all;
}

}  // namespace cadenza::dual_prompt
