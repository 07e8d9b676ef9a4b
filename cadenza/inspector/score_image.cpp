#include "cadenza/inspector/score_image.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "cadenza/base/error.h"
#include "cadenza/base/suggest.h"
#include "cadenza/dataset/fit.h"
#include "cadenza/dataset/preprocess.h"
#include "cadenza/inspector/regions.h"
#include "cadenza/memory/conformal.h"

namespace cadenza {

namespace {

const TaskCalibration& find_task(std::span<const TaskCalibration> tasks, TaskId id) {
  const auto found = std::ranges::find(tasks, id, &TaskCalibration::id);
  CADENZA_REQUIRE(found != tasks.end(), ErrorCode::kInvalidArgument, "no task with id ", id,
                  " is among those that can be judged");
  return *found;
}

/// Which tasks the method may pick from; none: all.
std::vector<TaskId> candidates_of(const Method& method, std::span<const TaskCalibration> tasks,
                                  const ScoreImageOptions& options) {
  if (options.task) return {find_task(tasks, *options.task).id};
  if (method.info().picks_task) return {};
  std::vector<std::string> names;
  for (const auto& task : tasks) names.push_back(task.name);
  CADENZA_REQUIRE(tasks.size() == 1, ErrorCode::kInvalidArgument, "method '", method.info().name,
                  "' does not tell by itself which task an image shows; name it (--task); known: ",
                  join(names));
  return {tasks.front().id};
}

/// The task, and what its calibration says of the score.
void judge(Verdict& verdict, const TaskCalibration& task, const ScoreImageOptions& options) {
  verdict.task = task.name;
  verdict.map_threshold = task.map_threshold;
  verdict.is_rejected = !options.task && task.reject_above && verdict.task_distance &&
                        *verdict.task_distance > *task.reject_above;
  if (verdict.is_rejected) return;
  if (!task.normal_scores.empty()) verdict.p_value = p_value(task.normal_scores, *verdict.score);
  verdict.threshold = task.threshold;
  if (!task.threshold) return;
  verdict.label = *verdict.score > *task.threshold ? Label::kDefect : Label::kNormal;
}

double finite(const at::Tensor& value, std::string_view what, std::string_view name) {
  const double number = value.item<float>();
  CADENZA_REQUIRE(std::isfinite(number), ErrorCode::kNumeric, name, ": the ", what, " is ", number);
  return number;
}

}  // namespace

Verdict score_image(const Method& method, std::span<const TaskCalibration> tasks,
                    std::span<const std::byte> bytes, std::string_view name,
                    const ScoreImageOptions& options) {
  const c10::NoGradGuard no_grad;
  const std::string file(name);
  const InputSpec& input = method.info().input;
  Verdict verdict;
  StageClock* const clock = &verdict.clock;

  ReducedImage decoded;
  {
    const StageClock::Span span(clock, Stage::kDecode);
    decoded = decode_reduced(bytes, file, decode_options(input));
  }
  if (method.tasks().empty() && !options.task) return verdict;
  const auto candidates = candidates_of(method, tasks, options);
  at::Tensor images;
  {
    const StageClock::Span span(clock, Stage::kPreprocess);
    images = prepare(decoded.image, input).unsqueeze(0);
  }
  const auto scored = method.score(images, {.candidates = candidates, .clock = clock});

  const StageClock::Span span(clock, Stage::kScore);
  verdict.score = finite(scored.image_score, "score", name);
  if (scored.task_distance) {
    verdict.task_distance = finite(*scored.task_distance, "distance to the task", name);
  }
  const TaskId id = candidates.empty() ? scored.task.value().item<TaskId>() : candidates.front();
  judge(verdict, find_task(tasks, id), options);
  if (!scored.anomaly_map) return verdict;

  const bool has_regions =
      verdict.map_threshold && (verdict.label == Label::kDefect || verdict.is_rejected);
  if (!has_regions && !options.makes_map) return verdict;
  auto map =
      map_to_image((*scored.anomaly_map)[0], input, decoded.full_height_px, decoded.full_width_px);
  ScoreMap whole{map.height_px, map.width_px, std::move(map.values)};
  if (has_regions) verdict.regions = find_regions(whole, *verdict.map_threshold);
  if (options.makes_map) verdict.map = std::move(whole);
  return verdict;
}

}  // namespace cadenza
