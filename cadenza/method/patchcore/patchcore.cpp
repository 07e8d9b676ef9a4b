#include "cadenza/method/patchcore/patchcore.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "cadenza/base/error.h"
#include "cadenza/base/rng.h"
#include "cadenza/dataset/one_task.h"
#include "cadenza/dataset/preprocess.h"
#include "cadenza/memory/coreset.h"
#include "cadenza/memory/row_sample.h"
#include "cadenza/tensor/shape.h"

namespace cadenza::patchcore {
namespace {

constexpr std::int64_t kBatch = 8;
constexpr double kLeastTypical = 1e-6;

void require_running(const TrainContext& context) {
  CADENZA_REQUIRE(!context.stop.stop_requested(), ErrorCode::kCancelled, "training was stopped");
}

/// Calls visit(index of the image, its patches [N,D]) for every image.
template <class Visit>
void for_each_image(const PatchReader& reader, const TaskData& data, const TrainContext& context,
                    Visit visit) {
  for (std::int64_t first = 0; first < data.size(); first += kBatch) {
    require_running(context);
    const auto last = std::min(first + kBatch, data.size());
    const auto patches = reader.read(data.images(first, last));
    for (auto image = first; image < last; ++image) visit(image, patches[image - first]);
    context.progress->advance(last - first);
  }
}

float mean(const std::vector<float>& values) {
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  return static_cast<float>(sum / static_cast<double>(values.size()));
}

}  // namespace

PatchCore::PatchCore(MethodInfo info, const PatchCoreOptions& options,
                     const NetworkEnvironment& environment)
    : info_(std::move(info)),
      options_(options),
      reader_(options.network, options.neighbourhood, environment) {
  info_.network = reader_.extractor().entry().name;
  info_.fingerprint = cat(reader_.extractor().fingerprint(), ':', fingerprint(info_.input));
}

const TaskBank& PatchCore::task(TaskId id) const {
  const auto found = banks_.find(id);
  CADENZA_REQUIRE(found != banks_.end(), ErrorCode::kInvalidArgument, "no task ", id,
                  " was learned");
  return found->second;
}

void PatchCore::put(TaskId id, TaskBank task) {
  banks_.insert_or_assign(id, std::move(task));
  tasks_.clear();
  for (const auto& [known, bank] : banks_) tasks_.push_back(known);
}

TaskBank PatchCore::learn(const TaskData& data, const TrainContext& context) const {
  const auto& name = data.tasks()[0].name;
  Rng random(context.seed, cat("patchcore ", name));
  const auto n_patches = reader_.rows() * reader_.columns(), n_all = data.size() * n_patches;

  RowSample candidates(n_all, reader_.dim(), options_.candidates, random);
  context.progress->begin(cat(name, ": features"), data.size());
  for_each_image(reader_, data, context, [&](std::int64_t image, const at::Tensor& patches) {
    candidates.take(image * n_patches, patches);
  });
  context.progress->end();

  const auto n_candidates = candidates.rows().size(0);
  const auto wanted = std::max(std::llround(options_.coreset_ratio * static_cast<double>(n_all)),
                               static_cast<long long>(options_.least_rows));
  const auto n_rows = std::min<std::int64_t>(wanted, n_candidates);
  // The patch farthest from the mean: the same bank for every seed.
  const auto first =
      (candidates.rows() - candidates.rows().mean(0)).square().sum(1).argmax().item<std::int64_t>();
  context.progress->begin(cat(name, ": memory"), n_rows);
  const auto picked = at::tensor(
      select_coreset(candidates.rows(), n_rows, {.first = first}, context.stop, *context.progress));
  context.progress->end();

  const auto numbers = candidates.numbers().index_select(0, picked);
  TaskBank task{.bank = encode_bank(candidates.rows().index_select(0, picked),
                                    numbers.floor_divide(n_patches), numbers.remainder(n_patches),
                                    options_.code)};
  derive(task);
  return task;
}

void PatchCore::calibrate(TaskBank& task, const TaskData& data, const TrainContext& context) const {
  bool is_defined = true;
  context.progress->begin(cat(data.tasks()[0].name, ": calibration"), data.size());
  for_each_image(reader_, data, context, [&](std::int64_t image, const at::Tensor& patches) {
    const auto left_out = static_cast<std::int32_t>(image);
    const auto matches = match(task, patches, left_out);
    task.distances.push_back(mean(matches.distance));
    is_defined = is_defined && std::isfinite(task.distances.back());
    if (!is_defined) return;
    task.scores.push_back(image_score(task, patches, matches, options_.n_neighbours, left_out));
  });
  context.progress->end();
  if (!is_defined) {
    task.scores.clear();
    task.distances.clear();
    context.progress->warn(
        cat(data.tasks()[0].name, ": one image alone gives a ranking but no threshold"));
    return;
  }
  auto sorted = task.distances;
  const auto middle = sorted.begin() + std::ssize(sorted) / 2;
  std::nth_element(sorted.begin(), middle, sorted.end());
  task.typical_distance = std::max<double>(*middle, kLeastTypical);
}

void PatchCore::train_task(const TaskData& data, const TrainContext& context) {
  const c10::NoGradGuard no_grad;
  for (std::size_t index = 0; index < data.tasks().size(); ++index) {
    const auto images = one_task(data, index);
    CADENZA_REQUIRE(images->size() > 0, ErrorCode::kInvalidArgument, "task '",
                    data.tasks()[index].name, "': expected at least one image, found none");
    auto task = learn(*images, context);
    calibrate(task, *images, context);
    put(data.tasks()[index].id, std::move(task));
  }
}

ScoreBatch PatchCore::score(const at::Tensor& images, const ScoreRequest& request) const {
  const c10::NoGradGuard no_grad;
  CADENZA_REQUIRE(!banks_.empty(), ErrorCode::kInvalidArgument,
                  "no task was learned yet: train one first");
  require_shape(images, {kAnySize, 3, info_.input.height_px, info_.input.width_px},
                "images [B,3,H,W]");
  std::vector<TaskId> candidates(request.candidates.begin(), request.candidates.end());
  if (candidates.empty()) candidates = tasks_;
  std::ranges::sort(candidates);  // of equally near tasks the oldest wins

  at::Tensor patches;
  {
    const StageClock::Span span(request.clock, Stage::kNetwork);
    patches = reader_.read(images);
  }
  const StageClock::Span span(request.clock, Stage::kScore);
  const auto n_images = images.size(0);
  ScoreBatch batch{.image_score = at::empty({n_images}, at::kFloat),
                   .anomaly_map = at::Tensor(),
                   .task = at::empty({n_images}, at::kLong),
                   .task_distance = at::empty({n_images}, at::kFloat)};
  auto patch_distance = at::empty({n_images, patches.size(1)}, at::kFloat);
  for (std::int64_t image = 0; image < n_images; ++image) {
    TaskId chosen = 0;
    float nearest = 0;
    PatchMatches best;
    for (const auto id : candidates) {
      auto matches = match(task(id), patches[image]);
      const float distance = mean(matches.distance);
      if (!best.distance.empty() && distance >= nearest) continue;
      chosen = id;
      nearest = distance;
      best = std::move(matches);
    }
    const auto& known = task(chosen);
    batch.image_score[image] = image_score(known, patches[image], best, options_.n_neighbours);
    (*batch.task)[image] = chosen;
    (*batch.task_distance)[image] = nearest / known.typical_distance;
    patch_distance[image] = at::tensor(best.distance);
  }
  batch.anomaly_map = patch_map(patch_distance, reader_.rows(), reader_.columns(),
                                {.height_px = info_.input.height_px,
                                 .width_px = info_.input.width_px,
                                 .sigma_px = options_.sigma_px});
  return batch;
}

std::optional<Calibration> PatchCore::calibration(TaskId id) const {
  const auto& known = task(id);
  Calibration calibration{.scores = known.scores, .distances = {}, .reject_above = {}};
  for (const float distance : known.distances) {
    calibration.distances.push_back(static_cast<float>(distance / known.typical_distance));
  }
  return calibration;
}

MethodState PatchCore::save() const {
  MethodState state;
  for (const auto& [id, task] : banks_) state.tasks[id] = patchcore::save(task);
  return state;
}

void PatchCore::load(const MethodState& state) {
  PieceReader(state.shared, "shared state").finish();
  for (const auto& [id, piece] : state.tasks) {
    PieceReader reader(piece, cat("task ", id));
    auto task = patchcore::load(reader, options_.code, reader_.dim());
    reader.finish();
    put(id, std::move(task));
  }
}

}  // namespace cadenza::patchcore
