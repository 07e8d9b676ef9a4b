#include "cadenza/method/ucad/ucad.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "cadenza/base/error.h"
#include "cadenza/dataset/one_task.h"
#include "cadenza/dataset/preprocess.h"
#include "cadenza/memory/patch_scores.h"
#include "cadenza/method/ucad/learn.h"
#include "cadenza/method/ucad/prompt.h"
#include "cadenza/tensor/shape.h"

namespace cadenza {
namespace {

constexpr const char* kPromptStream = "ucad prompt";  // every task starts from the same prompt

}  // namespace

Ucad::Ucad(MethodInfo facts, UcadSettings settings, const NetworkEnvironment& environment)
    : info_(std::move(facts)),
      settings_(std::move(settings)),
      vit_(std::make_shared<PromptedVit>(settings_, environment)),
      embedding_(embedding_options(settings_, vit_->width(), vit_->rows())),
      keys_(KeyDistance::kSquared, settings_.key_pool) {
  info_.network = settings_.network;
  info_.fingerprint = cat(vit_->fingerprint(), ':', fingerprint(info_.input));
  info_.shares_parameters = shares_prompt();
  info_.isolates_tasks = !shares_prompt();
}

Ucad::Ucad(const Ucad& from, const at::Tensor TaskMemory::* knowledge)
    : info_(from.info_),
      settings_(from.settings_),
      vit_(from.vit_),
      embedding_(from.embedding_),
      known_(from.known_),
      tasks_(from.tasks_),
      keys_(from.keys_),
      prompt_(from.prompt_) {
  for (auto& [id, task] : known_) task.bank = PackedBank(task.memory.*knowledge);
}

std::unique_ptr<Method> Ucad::with_larger_memory() const {
  if (settings_.basic_size == 0) return nullptr;
  return std::unique_ptr<Method>(new Ucad(*this, &TaskMemory::basic));
}

const Ucad::Known& Ucad::known(TaskId task) const {
  const auto found = known_.find(task);
  CADENZA_REQUIRE(found != known_.end(), ErrorCode::kInvalidArgument, "method 'ucad': no task ",
                  task, " was learned");
  return found->second;
}

void Ucad::put(std::map<TaskId, TaskMemory> memories) {
  for (auto& [id, memory] : memories) {
    keys_.set(id, memory.keys);
    PackedBank bank(memory.knowledge);
    known_.insert_or_assign(id, Known{std::move(memory), std::move(bank)});
  }
  tasks_.clear();
  for (const auto& [id, task] : known_) tasks_.push_back(id);
}

void Ucad::learn(const TaskData& group, const TrainContext& context) {
  TrainingGroup training(*vit_, embedding_, settings_, info_.input, group, context);
  if (!settings_.has_prompt()) {
    put(training.memories({}));
    return;
  }
  const auto start = shares_prompt() && prompt_.defined()
                         ? prompt_
                         : initial_prompt(settings_, vit_->width(), context.seed, kPromptStream);
  bool is_current = false;
  const auto take = [&](const at::Tensor& prompt) {
    if (shares_prompt()) prompt_ = prompt;
    put(training.memories(prompt));
  };
  TrainingGroup::AfterEpoch after_epoch;
  if (context.after_epoch) {
    after_epoch = [&](std::int64_t epoch, const at::Tensor& prompt) {
      take(prompt);
      is_current = epoch + 1 == settings_.epochs;
      const bool goes_on = context.after_epoch(epoch, *this);
      is_current = is_current || !goes_on;
      return goes_on;
    };
  }
  const auto prompt = training.train(start, after_epoch);
  if (!is_current) take(prompt);
}

void Ucad::train_task(const TaskData& data, const TrainContext& context) {
  if (shares_prompt()) {
    learn(data, context);
    return;
  }
  for (std::size_t index = 0; index < data.tasks().size(); ++index) {
    learn(*one_task(data, index), context);
  }
}

const at::Tensor& Ucad::prompt_of(const Known& task) const {
  return shares_prompt() ? prompt_ : task.memory.prompt;
}

at::Tensor Ucad::prompted_features(const at::Tensor& tokens,
                                   const std::vector<const Known*>& chosen) const {
  std::vector<at::Tensor> prompts;
  for (const auto* task : chosen) prompts.push_back(prompt_of(*task));
  const auto mixing = settings_.compat ? PromptMixing::kReleased : PromptMixing::kClean;
  return vit_->prompted(tokens, prompt_tokens(at::stack(prompts), mixing));
}

at::Tensor Ucad::patch_scores(const at::Tensor& features, const std::vector<TaskId>& chosen) const {
  std::map<TaskId, std::vector<std::int64_t>> rows_of;
  for (std::size_t row = 0; row < chosen.size(); ++row) {
    rows_of[chosen[row]].push_back(static_cast<std::int64_t>(row));
  }
  auto scores = at::empty({features.size(0), features.size(1)}, at::kFloat);
  for (const auto& [id, rows] : rows_of) {
    const auto index = at::tensor(rows, at::kLong);
    const auto distances = nearest_distances(known(id).bank, features.index_select(0, index));
    scores.index_copy_(0, index, patch_scores_of(distances, settings_));
  }
  return scores;
}

ScoreBatch Ucad::score(const at::Tensor& images, const ScoreRequest& request) const {
  const c10::NoGradGuard no_grad;
  CADENZA_REQUIRE(!known_.empty(), ErrorCode::kInvalidArgument,
                  "method 'ucad': no task was learned yet: train one first");
  const auto height = info_.input.height_px, width = info_.input.width_px;
  require_shape(images, {kAnySize, 3, height, width}, cat("images [B,3,", height, ",", width, "]"));
  std::vector<TaskId> candidates(request.candidates.begin(), request.candidates.end());
  if (candidates.empty()) candidates = tasks_;
  std::ranges::sort(candidates);  // of equally near tasks the oldest wins
  for (const auto id : candidates) known(id);

  at::Tensor tokens, features;
  {
    const StageClock::Span span(request.clock, Stage::kNetwork);
    tokens = vit_->start(images);
    features = vit_->plain(tokens);
  }
  std::vector<TaskId> chosen;
  auto task = at::empty({images.size(0)}, at::kLong);
  auto task_distance = at::empty({images.size(0)}, at::kFloat);
  at::Tensor embedded;
  {
    const StageClock::Span span(request.clock, Stage::kScore);
    embedded = embedding_(features);
    const auto [nearest, which] = keys_.distances(embedded, candidates).min(1);
    for (std::int64_t row = 0; row < images.size(0); ++row) {
      const auto place = which[row].item<std::int64_t>();
      const auto id = candidates[static_cast<std::size_t>(place)];
      chosen.push_back(id);
      task[row] = id;
      task_distance[row] =
          std::sqrt(nearest[row].item<double>()) / known(id).memory.typical_distance;
    }
  }
  if (settings_.has_prompt()) {
    std::vector<const Known*> tasks;
    for (const auto id : chosen) tasks.push_back(&known(id));
    {
      const StageClock::Span span(request.clock, Stage::kNetwork);
      features = prompted_features(tokens, tasks);
    }
    const StageClock::Span span(request.clock, Stage::kScore);
    embedded = embedding_(features);
  }
  const StageClock::Span span(request.clock, Stage::kScore);
  const auto scores = patch_scores(embedded, chosen);
  return {.image_score = scores.amax({1}),
          .anomaly_map = patch_map(scores, vit_->rows(), vit_->columns(), settings_.smoothing()),
          .task = task,
          .task_distance = task_distance};
}

std::optional<Calibration> Ucad::calibration(TaskId task) const {
  const auto& memory = known(task).memory;
  Calibration calibration{.scores = memory.scores};
  for (const float distance : memory.distances) {
    calibration.distances.push_back(static_cast<float>(distance / memory.typical_distance));
  }
  if (settings_.reject_factor > 0 && !calibration.distances.empty()) {
    calibration.reject_above = settings_.reject_factor * std::ranges::max(calibration.distances);
  }
  if (!memory.scores.empty()) calibration.map_threshold = memory.map_threshold;
  return calibration;
}

MethodState Ucad::save() const {
  MethodState state;
  if (prompt_.defined()) state.shared.tensors["prompt"] = prompt_;
  for (const auto& [id, task] : known_) {
    state.tasks[id] = task.memory.save(settings_.has_prompt());
  }
  return state;
}

void Ucad::load(const MethodState& state) {
  PieceReader shared(state.shared, "shared state");
  if (shares_prompt() && !state.tasks.empty()) {
    prompt_ = read_prompt(shared, "shared state", settings_, vit_->width());
  }
  shared.finish();
  std::map<TaskId, TaskMemory> memories;
  for (const auto& [id, piece] : state.tasks) {
    memories[id] =
        TaskMemory::load(piece, cat("task ", id), settings_, vit_->width(), embedding_.dim());
  }
  put(std::move(memories));
}

}  // namespace cadenza
