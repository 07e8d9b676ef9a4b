#include "cadenza/method/dual_prompt/dual_prompt.h"

#include <algorithm>
#include <utility>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "cadenza/base/error.h"
#include "cadenza/dataset/one_task.h"
#include "cadenza/dataset/preprocess.h"
#include "cadenza/memory/patch_scores.h"
#include "cadenza/method/dual_prompt/learn.h"
#include "cadenza/method/dual_prompt/task_vote.h"
#include "cadenza/tensor/shape.h"

namespace cadenza::dual_prompt {

DualPromptMethod::DualPromptMethod(MethodInfo facts, DualPromptSettings settings,
                                   const NetworkEnvironment& environment)
    : info_(std::move(facts)),
      settings_(std::move(settings)),
      network_(std::make_shared<PromptedNetwork>(settings_, environment)),
      embedding_(embedding_options(settings_, *network_)),
      keys_(KeyDistance::kCosine, settings_.key_pool) {
  info_.network = settings_.network;
  info_.fingerprint = cat(network_->fingerprint(), ':', fingerprint(info_.input));
  info_.shares_parameters = settings_.shared_prompt;
  info_.isolates_tasks = !settings_.shared_prompt;
}

DualPromptMethod::DualPromptMethod(const DualPromptMethod& from, Larger)
    : info_(from.info_),
      settings_(from.settings_),
      network_(from.network_),
      embedding_(from.embedding_),
      known_(from.known_),
      tasks_(from.tasks_),
      keys_(from.keys_),
      shared_(from.shared_) {
  for (auto& [id, task] : known_) task.bank = PackedBank(task.memory.basic);
}

std::unique_ptr<Method> DualPromptMethod::with_larger_memory() const {
  if (settings_.basic_size == 0) return nullptr;
  return std::unique_ptr<Method>(new DualPromptMethod(*this, Larger{}));
}

const DualPromptMethod::Known& DualPromptMethod::known(TaskId task) const {
  const auto found = known_.find(task);
  CADENZA_REQUIRE(found != known_.end(), ErrorCode::kInvalidArgument,
                  "method 'dual_prompt': no task ", task, " was learned");
  return found->second;
}

void DualPromptMethod::put(std::map<TaskId, TaskMemory> memories) {
  for (auto& [id, memory] : memories) {
    keys_.set(id, memory.keys);
    Known task{.memory = {}, .bank = PackedBank(memory.knowledge), .key_bank = {}};
    if (settings_.compat) task.key_bank = PackedBank(memory.keys);
    task.memory = std::move(memory);
    known_.insert_or_assign(id, std::move(task));
  }
  tasks_.clear();
  for (const auto& [id, task] : known_) tasks_.push_back(id);
}

void DualPromptMethod::learn(const TaskData& group, const TrainContext& context) {
  Training training(*network_, embedding_, settings_, info_.input, group, context);
  if (!settings_.has_prompt()) {
    put(training.memories({}));
    return;
  }
  const auto take = [&](const DualPrompt& prompt) {
    if (settings_.shared_prompt) shared_ = prompt;
    put(training.memories(prompt));
  };
  bool is_current = false;
  Training::AfterEpoch after_epoch;
  if (context.after_epoch) {
    after_epoch = [&](std::int64_t epoch, const DualPrompt& prompt) {
      take(prompt);
      const bool goes_on = context.after_epoch(epoch, *this);
      is_current = epoch + 1 == settings_.epochs || !goes_on;
      return goes_on;
    };
  }
  const auto start =
      shared_.empty() ? initial_prompt(settings_, network_->n_channels(), context.seed) : shared_;
  const auto prompt = training.train(start, after_epoch);
  if (!is_current) take(prompt);
}

void DualPromptMethod::train_task(const TaskData& data, const TrainContext& context) {
  if (settings_.shared_prompt) {
    learn(data, context);
    return;
  }
  for (std::size_t index = 0; index < data.tasks().size(); ++index) {
    learn(*one_task(data, index), context);
  }
}

const DualPrompt& DualPromptMethod::prompt_of(const Known& task) const {
  return settings_.shared_prompt ? shared_ : task.memory.prompt;
}

std::vector<std::size_t> DualPromptMethod::routes(const at::Tensor& distances,
                                                  const at::Tensor& cells,
                                                  const std::vector<TaskId>& candidates) const {
  const auto n_images = static_cast<std::size_t>(distances.size(0));
  if (settings_.compat) {
    std::vector<const PackedBank*> keys;
    for (const auto id : candidates) keys.push_back(&known(id).key_bank);
    return std::vector(n_images, vote(distances, keys, cells));
  }
  const auto nearest = distances.argmin(1);
  const auto* which = nearest.const_data_ptr<std::int64_t>();
  return {which, which + n_images};
}

at::Tensor DualPromptMethod::patch_scores(const at::Tensor& prefix, const at::Tensor& plain_cells,
                                          const std::vector<TaskId>& chosen,
                                          StageClock* clock) const {
  std::map<TaskId, std::vector<std::int64_t>> rows_of;
  for (std::size_t row = 0; row < chosen.size(); ++row) {
    rows_of[chosen[row]].push_back(static_cast<std::int64_t>(row));
  }
  auto scores = at::empty({plain_cells.size(0), plain_cells.size(1)}, at::kFloat);
  for (const auto& [id, rows] : rows_of) {
    const auto& task = known(id);
    const auto index = at::tensor(rows, at::kLong);
    at::Tensor cells;
    if (settings_.has_prompt()) {
      const StageClock::Span span(clock, Stage::kNetwork);
      const auto& prompt = prompt_of(task);
      cells = embedding_(
          projected_cells(prompt, network_->prompted(prefix.index_select(0, index), prompt)));
    } else {
      cells = embedding_(plain_cells.index_select(0, index));
    }
    const StageClock::Span span(clock, Stage::kScore);
    scores.index_copy_(0, index, patch_scores_of(nearest_distances(task.bank, cells), settings_));
  }
  return scores;
}

ScoreBatch DualPromptMethod::score(const at::Tensor& images, const ScoreRequest& request) const {
  const c10::NoGradGuard no_grad;
  CADENZA_REQUIRE(!known_.empty(), ErrorCode::kInvalidArgument,
                  "method 'dual_prompt': no task was learned yet: train one first");
  const auto height = info_.input.height_px, width = info_.input.width_px;
  require_shape(images, {kAnySize, 3, height, width}, cat("images [B,3,", height, ",", width, "]"));
  std::vector<TaskId> candidates(request.candidates.begin(), request.candidates.end());
  if (candidates.empty()) candidates = tasks_;
  std::ranges::sort(candidates);  // of equally near tasks the oldest wins
  for (const auto id : candidates) known(id);

  at::Tensor prefix, cells;
  {
    const StageClock::Span span(request.clock, Stage::kNetwork);
    prefix = network_->start(images);
    cells = projected_cells({}, network_->plain(prefix));
  }
  std::vector<TaskId> chosen;
  auto task = at::empty({images.size(0)}, at::kLong);
  auto task_distance = at::empty({images.size(0)}, at::kFloat);
  {
    const StageClock::Span span(request.clock, Stage::kScore);
    const auto distances = keys_.distances(cells, candidates);
    const auto places = routes(distances, cells, candidates);
    for (std::int64_t row = 0; row < images.size(0); ++row) {
      const auto place = places[static_cast<std::size_t>(row)];
      const auto id = candidates[place];
      chosen.push_back(id);
      task[row] = id;
      task_distance[row] =
          distances[row][static_cast<std::int64_t>(place)].clamp_min(0).item<double>() /
          known(id).memory.typical_distance;
    }
  }
  const auto scores = patch_scores(prefix, cells, chosen, request.clock);
  const StageClock::Span span(request.clock, Stage::kScore);
  return {
      .image_score = scores.amax({1}),
      .anomaly_map = patch_map(scores, network_->rows(), network_->columns(), smoothing(settings_)),
      .task = task,
      .task_distance = task_distance};
}

std::optional<Calibration> DualPromptMethod::calibration(TaskId task) const {
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

MethodState DualPromptMethod::save() const {
  MethodState state;
  save_prompt(shared_, state.shared);
  for (const auto& [id, task] : known_) state.tasks[id] = task.memory.save(settings_);
  return state;
}

void DualPromptMethod::load(const MethodState& state) {
  PieceReader shared(state.shared, "shared state");
  if (settings_.shared_prompt && !state.tasks.empty()) {
    shared_ = load_prompt(shared, "shared state", settings_, network_->n_channels());
  }
  shared.finish();
  std::map<TaskId, TaskMemory> memories;
  for (const auto& [id, piece] : state.tasks) {
    memories[id] = TaskMemory::load(piece, cat("task ", id), settings_, network_->n_channels(),
                                    embedding_.dim());
  }
  put(std::move(memories));
}

}  // namespace cadenza::dual_prompt
