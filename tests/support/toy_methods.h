#pragma once

#include <map>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "cadenza/base/error.h"
#include "cadenza/continual/training_loop.h"
#include "cadenza/method/registry.h"
#include "cadenza/tensor/shape.h"

// Two methods small enough to follow by hand, on images of 4x4 pixels: for tests of everything that
// is written against the interface.

namespace cadenza {

inline MethodInfo toy_info(std::string name) {
  MethodInfo info;
  info.name = std::move(name);
  info.summary = "a test's method";
  info.source = "this test";
  info.input = {.height_px = 4, .width_px = 4, .mean = {0, 0, 0}, .stddev = {1, 1, 1}};
  info.fingerprint = "toy";
  return info;
}

/// What both have in common: the checks of score() and the tasks' order.
class ToyMethod : public Method {
 public:
  explicit ToyMethod(MethodInfo info) : info_(std::move(info)) {}
  const MethodInfo& info() const noexcept override { return info_; }
  std::span<const TaskId> tasks() const noexcept override { return tasks_; }

 protected:
  void require_images(const at::Tensor& images) const {
    CADENZA_REQUIRE(!tasks_.empty(), ErrorCode::kInvalidArgument, "no task was learned yet");
    require_shape(images, {kAnySize, 3, 4, 4}, "images [B,3,4,4]");
  }
  std::vector<TaskId> candidates(const ScoreRequest& request) const {
    if (request.candidates.empty()) return tasks_;
    for (const auto id : request.candidates) {
      CADENZA_REQUIRE(std::ranges::find(tasks_, id) != tasks_.end(), ErrorCode::kInvalidArgument,
                      "no task ", id);
    }
    return {request.candidates.begin(), request.candidates.end()};
  }
  void remember(TaskId id) {
    if (std::ranges::find(tasks_, id) == tasks_.end()) tasks_.push_back(id);
  }
  void save_order(MethodState& state) const { state.shared.tensors["order"] = at::tensor(tasks_); }
  void load_order(PieceReader& reader) {
    const auto order = reader.tensor("order");
    tasks_.assign(order.const_data_ptr<std::int64_t>(),
                  order.const_data_ptr<std::int64_t>() + order.numel());
  }
  static at::Tensor rows_of(const TaskData& data, std::size_t task) {
    return (data.task(0, data.size()) == static_cast<std::int64_t>(task)).nonzero().view({-1});
  }

  MethodInfo info_;
  std::vector<TaskId> tasks_;
};

/// Distance of an image's mean colour from the task's mean colour, over the task's spread. Routes
/// to the nearest task; tasks are isolated, nothing is shared.
class ColourMethod final : public ToyMethod {
 public:
  static MethodInfo facts(bool calibrates) {
    auto info = toy_info("toy_colour");
    info.picks_task = info.isolates_tasks = true;
    info.calibrates = calibrates;
    return info;
  }
  explicit ColourMethod(bool calibrates) : ColourMethod(facts(calibrates)) {}
  explicit ColourMethod(MethodInfo info) : ToyMethod(std::move(info)) {}

  void train_task(const TaskData& data, const TrainContext& context) override {
    const auto images = data.images(0, data.size());
    for (std::size_t task = 0; task < data.tasks().size(); ++task) {
      CADENZA_REQUIRE(!context.stop.stop_requested(), ErrorCode::kCancelled, "stopped");
      const auto colours = images.index_select(0, rows_of(data, task)).mean({2, 3});
      const auto centre = colours.mean(0);
      const auto scores = (colours - centre).norm(2, {1});
      const auto id = data.tasks()[task].id;
      remember(id);
      pieces_[id].tensors = {
          {"centre", centre}, {"spread", scores.mean().clamp_min(1e-3)}, {"scores", scores}};
    }
  }

  ScoreBatch score(const at::Tensor& images, const ScoreRequest& request) const override {
    require_images(images);
    std::vector<at::Tensor> distances, maps;
    const auto tasks = candidates(request);
    for (const auto id : tasks) {
      const auto& piece = pieces_.at(id).tensors;
      const auto offset = images - piece.at("centre").view({1, 3, 1, 1});
      distances.push_back(offset.mean({2, 3}).norm(2, {1}) / piece.at("spread"));
      maps.push_back(offset.norm(2, {1}) / piece.at("spread"));
    }
    const auto [nearest, which] = at::stack(distances).min(0);
    std::vector<at::Tensor> chosen;
    for (std::int64_t row = 0; row < images.size(0); ++row) {
      chosen.push_back(maps[static_cast<std::size_t>(which[row].item<std::int64_t>())][row]);
    }
    return {.image_score = nearest,
            .anomaly_map = at::stack(chosen),
            .task = at::tensor(tasks).index_select(0, which),
            .task_distance = nearest.clone()};
  }

  std::optional<Calibration> calibration(TaskId task) const override {
    if (!info_.calibrates) return std::nullopt;
    const auto& piece = pieces_.at(task).tensors;
    const auto scores = (piece.at("scores") / piece.at("spread")).contiguous();
    Calibration known;
    known.scores.assign(scores.const_data_ptr<float>(),
                        scores.const_data_ptr<float>() + scores.numel());
    known.distances = known.scores;
    known.reject_above = 50;
    return known;
  }

  MethodState save() const override { return {.shared = {}, .tasks = pieces_}; }
  void load(const MethodState& state) override {
    PieceReader(state.shared, "shared").finish();
    pieces_.clear();
    tasks_.clear();
    for (const auto& [id, piece] : state.tasks) {
      tasks_.push_back(id);
      PieceReader reader(piece, cat("task ", id));
      for (const auto* key : {"centre", "spread", "scores"}) {
        pieces_[id].tensors[key] = reader.tensor(key);
      }
      reader.finish();
    }
  }

 private:
  std::map<TaskId, StatePiece> pieces_;
};

/// One linear unit w, shared by all tasks and trained so that w . colour = 1 on normals; the score
/// is the distance from 1. A later task moves w and with it the scores of the earlier ones.
class LinearMethod final : public ToyMethod {
 public:
  static MethodInfo facts() {
    auto info = toy_info("toy_linear");
    info.shares_parameters = true;
    info.makes_map = false;
    return info;
  }
  explicit LinearMethod(std::int64_t n_epochs, bool joins_epochs = false)
      : ToyMethod(facts()), n_epochs_(n_epochs) {
    info_.joins_epochs = joins_epochs;
  }

  void train_task(const TaskData& data, const TrainContext& context) override {
    TrainableView view;
    view.names = {"weight"};
    view.parameters = {weight_};
    view.embeddings = [this](const Batch& batch) { return outputs(batch.images); };
    view.sample_losses = [this](const Batch& batch) {
      return (outputs(batch.images) - 1).square().sum(1);
    };
    view.loss = [&](const Batch& batch) { return view.sample_losses(batch).mean(); };
    view.batch_from_pixels = [](const at::Tensor& pixels, const at::Tensor& task) {
      return Batch{.images = pixels.permute({0, 3, 1, 2}).to(at::kFloat).div(255),
                   .pixels = {},
                   .labels = {},
                   .task = task};
    };
    view.layer_input = [](const std::string&, const Batch& batch) {
      return batch.images.mean({2, 3}).t();
    };
    const auto make_batch = [&](std::span<const std::int64_t> rows, Rng&) {
      std::vector<at::Tensor> pixels, tasks;
      for (const auto row : rows) {
        pixels.push_back(data.pixels(row, row + 1));
        const auto which = data.task(row, row + 1).item<std::int64_t>();
        tasks.push_back(at::full({1}, data.tasks()[static_cast<std::size_t>(which)].id, at::kLong));
      }
      return view.batch_from_pixels(at::cat(pixels), at::cat(tasks));
    };
    TrainingPlan plan{.n_epochs = context.frozen ? 0 : n_epochs_, .batch_size = 8};
    // Adam: its steps are bounded, also under a strategy's steep penalty.
    plan.optimizer = {.kind = OptimizerKind::kAdam, .learning_rate = 0.05};
    plan.seed = context.seed;
    plan.stop = context.stop;
    plan.strategy = context.strategy;
    plan.progress = context.progress;
    for (const auto& task : data.tasks()) remember(task.id);
    if (context.after_epoch) {
      plan.after_epoch = [&](std::int64_t epoch) { return context.after_epoch(epoch, *this); };
    }
    run_training_loop(data, view, make_batch, plan);
  }

  ScoreBatch score(const at::Tensor& images, const ScoreRequest& request) const override {
    require_images(images);
    candidates(request);
    const c10::NoGradGuard no_grad;
    return {.image_score = (outputs(images) - 1).abs().view({-1})};
  }

  MethodState save() const override {
    MethodState state;
    save_order(state);
    state.shared.tensors["weight"] = weight_.detach().clone();
    return state;
  }
  void load(const MethodState& state) override {
    PieceReader shared(state.shared, "shared");
    load_order(shared);
    weight_.set_data(shared.tensor("weight").clone());
    shared.finish();
  }

 private:
  at::Tensor outputs(const at::Tensor& images) const {
    return at::matmul(images.mean({2, 3}), weight_.t());
  }

  std::int64_t n_epochs_;
  at::Tensor weight_ = at::zeros({1, 3}).requires_grad_();
};

inline MethodRegistry toy_methods() {
  MethodRegistry registry;
  registry.add({.name = "toy_colour",
                .info = ColourMethod::facts(true),
                .options = {flag_option("calibrates", true, "tells how left-out normals score")},
                .bibtex = "",
                .tiny = {},
                .make = [](const Options& options, const NetworkEnvironment&) {
                  return std::make_unique<ColourMethod>(options.flag("calibrates"));
                }});
  registry.add({.name = "toy_linear",
                .info = LinearMethod::facts(),
                .options = {integer_option("epochs", 3, 0, 1000, "passes over the images"),
                            flag_option("joins_epochs", false, "as UCAD's authors report")},
                .bibtex = "",
                .tiny = {},
                .make = [](const Options& options, const NetworkEnvironment&) {
                  return std::make_unique<LinearMethod>(options.integer("epochs"),
                                                        options.flag("joins_epochs"));
                }});
  return registry;
}

}  // namespace cadenza
