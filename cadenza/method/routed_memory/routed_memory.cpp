#include "cadenza/method/routed_memory/routed_memory.h"

#include <algorithm>
#include <utility>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "cadenza/base/error.h"
#include "cadenza/dataset/one_task.h"
#include "cadenza/dataset/preprocess.h"
#include "cadenza/memory/router.h"
#include "cadenza/method/routed_memory/score.h"
#include "cadenza/tensor/shape.h"

namespace cadenza::routed_memory {
namespace {

/// What is said of one image.
struct Judgement {
  TaskId task = 0;
  float score = 0, distance = 0;
  at::Tensor map;  // [128,128]
};

}  // namespace

RoutedMemory::RoutedMemory(MethodInfo info, const RoutedMemoryOptions& options,
                           const NetworkEnvironment& environment)
    : info_(std::move(info)),
      options_(options),
      reader_(options.network, options.layers, options.map_layers, environment) {
  info_.network = reader_.extractor().entry().name;
  info_.fingerprint = cat(reader_.extractor().fingerprint(), ':', fingerprint(info_.input));
}

const Product& RoutedMemory::product(TaskId task) const {
  const auto found = products_.find(task);
  CADENZA_REQUIRE(found != products_.end(), ErrorCode::kInvalidArgument, "no task ", task,
                  " was learned");
  return found->second;
}

void RoutedMemory::put(TaskId task, Product product) {
  products_.insert_or_assign(task, std::move(product));
  tasks_.clear();
  for (const auto& [id, learned] : products_) tasks_.push_back(id);
}

void RoutedMemory::train_task(const TaskData& data, const TrainContext& context) {
  const c10::NoGradGuard no_grad;
  for (std::size_t index = 0; index < data.tasks().size(); ++index) {
    const auto images = one_task(data, index);
    CADENZA_REQUIRE(images->size() > 0, ErrorCode::kInvalidArgument, "task '",
                    data.tasks()[index].name, "': expected at least one image, found none");
    put(data.tasks()[index].id, learn(reader_, *images, options_.learn, context));
  }
}

ScoreBatch RoutedMemory::score(const at::Tensor& images, const ScoreRequest& request) const {
  const c10::NoGradGuard no_grad;
  CADENZA_REQUIRE(!products_.empty(), ErrorCode::kInvalidArgument,
                  "no task was learned yet: train one first");
  require_shape(images, {kAnySize, 3, info_.input.height_px, info_.input.width_px},
                "images [B,3,H,W]");
  std::vector<TaskId> candidates(request.candidates.begin(), request.candidates.end());
  if (candidates.empty()) candidates = tasks_;
  std::ranges::sort(candidates);  // of equally near products the oldest wins
  std::vector<const Product*> products;
  std::vector<const PackedBank*> routing;
  for (const auto id : candidates) {
    products.push_back(&product(id));
    routing.push_back(&products.back()->layers.back().packed);
  }

  std::vector<ImageFeatures> features;
  {
    const StageClock::Span span(request.clock, Stage::kNetwork);
    features = reader_.read(images);
  }
  const StageClock::Span span(request.clock, Stage::kScore);
  const auto& views = reader_.views();
  const auto judge = [&](std::int64_t row) {
    const auto& image = features[static_cast<std::size_t>(row)];
    const auto& queries = image.layers.back();
    auto found = route(
        routing, {queries.const_data_ptr<float>(), static_cast<std::size_t>(queries.numel())});
    const auto& chosen = *products[found.bank];
    std::vector<std::vector<float>> of_layers;
    for (std::size_t layer = 0; layer + 1 < chosen.layers.size(); ++layer) {
      of_layers.push_back(residuals(chosen.layers[layer], image.layers[layer]));
    }
    of_layers.push_back(std::move(found.nearest));
    const auto map = residual_map(views, chosen, of_layers);
    const auto gaussian =
        chosen.map_views.empty() ? at::Tensor() : gaussian_map(views, chosen, image);
    return Judgement{.task = candidates[found.bank],
                     .score = top_mean(map, n_top_cells(views)),
                     .distance = static_cast<float>(found.distance / chosen.typical_distance),
                     .map = shown_map(mixed_map(chosen, map, gaussian), images[row], info_.input)};
  };

  const auto n_images = images.size(0);
  ScoreBatch batch{.image_score = at::empty({n_images}, at::kFloat),
                   .anomaly_map = at::Tensor(),
                   .task = at::empty({n_images}, at::kLong),
                   .task_distance = at::empty({n_images}, at::kFloat)};
  std::vector<at::Tensor> maps;
  for (std::int64_t row = 0; row < n_images; ++row) {
    auto judgement = judge(row);
    batch.image_score.mutable_data_ptr<float>()[row] = judgement.score;
    batch.task->mutable_data_ptr<std::int64_t>()[row] = judgement.task;
    batch.task_distance->mutable_data_ptr<float>()[row] = judgement.distance;
    maps.push_back(std::move(judgement.map));
  }
  batch.anomaly_map = at::stack(maps);
  return batch;
}

std::optional<Calibration> RoutedMemory::calibration(TaskId task) const {
  const auto& known = product(task);
  Calibration calibration{.scores = known.scores,
                          .reject_above = options_.reject_ratio,
                          .map_threshold = known.map_threshold};
  for (const float distance : known.distances) {
    calibration.distances.push_back(static_cast<float>(distance / known.typical_distance));
  }
  return calibration;
}

MethodState RoutedMemory::save() const {
  MethodState state;
  for (const auto& [id, product] : products_) state.tasks[id] = save_product(product);
  return state;
}

void RoutedMemory::load(const MethodState& state) {
  PieceReader(state.shared, "shared state").finish();
  for (const auto& [id, piece] : state.tasks) {
    PieceReader reader(piece, cat("task ", id));
    auto product = load_product(reader, reader_.views(), options_.learn.code);
    reader.finish();
    put(id, std::move(product));
  }
}

}  // namespace cadenza::routed_memory
