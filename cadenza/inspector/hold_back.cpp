#include "cadenza/inspector/hold_back.h"

#include <algorithm>
#include <numeric>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/memory/conformal.h"

namespace cadenza {

namespace {

constexpr std::size_t kEvery = 5;
constexpr std::int64_t kMapImages = 16;
constexpr const char* kScores = "inspector.scores";
constexpr const char* kDistances = "inspector.distances";

std::vector<float> numbers_of(const at::Tensor& tensor, const char* key) {
  CADENZA_REQUIRE(tensor.dim() == 1 && tensor.scalar_type() == at::kFloat, ErrorCode::kCorruptData,
                  key, ": expected [n] float32");
  const auto* first = tensor.const_data_ptr<float>();
  return {first, first + tensor.numel()};
}

std::int64_t place_of(const TaskData& data, TaskId task) {
  const auto found = std::ranges::find(data.tasks(), task, &TaskRef::id);
  CADENZA_DCHECK(found != data.tasks().end());
  return found - data.tasks().begin();
}

/// Up to kMapImages rows of one task, evenly spread.
std::vector<std::int64_t> some_rows(const TaskData& data, TaskId task) {
  const auto own = (data.task(0, data.size()) == place_of(data, task)).nonzero().view({-1});
  const auto n_rows = std::min(kMapImages, own.numel());
  std::vector<std::int64_t> rows;
  for (std::int64_t k = 0; k < n_rows; ++k) {
    rows.push_back(own[k * own.numel() / n_rows].item<std::int64_t>());
  }
  return rows;
}

}  // namespace

HoldBack hold_back(std::size_t n_normals) {
  const bool is_worth_it = n_normals >= kEvery * static_cast<std::size_t>(kLeastForThreshold);
  HoldBack split;
  for (std::size_t place = 0; place < n_normals; ++place) {
    const bool is_held_back = is_worth_it && place % kEvery == kEvery - 1;
    (is_held_back ? split.held_back : split.learned).push_back(place);
  }
  return split;
}

HoldBack learn_all(std::size_t n_normals) {
  HoldBack split;
  split.learned.resize(n_normals);
  std::iota(split.learned.begin(), split.learned.end(), std::size_t{0});
  return split;
}

void add_held_back(Calibration& calibration, const Verdict& verdict) {
  CADENZA_DCHECK(verdict.score.has_value());
  calibration.scores.push_back(static_cast<float>(*verdict.score));
  if (verdict.task_distance) {
    calibration.distances.push_back(static_cast<float>(*verdict.task_distance));
  }
  if (verdict.map.empty()) return;
  const double largest = *std::ranges::max_element(verdict.map.values);
  calibration.map_threshold = std::max(calibration.map_threshold.value_or(largest), largest);
}

void put_held_back(const Calibration& calibration, StatePiece& piece) {
  piece.tensors[kScores] = at::tensor(calibration.scores);
  if (calibration.distances.empty()) return;
  piece.tensors[kDistances] = at::tensor(calibration.distances);
}

std::optional<Calibration> take_held_back(StatePiece& piece) {
  const auto scores = piece.tensors.find(kScores);
  if (scores == piece.tensors.end()) return std::nullopt;
  Calibration calibration;
  calibration.scores = numbers_of(scores->second, kScores);
  piece.tensors.erase(scores);
  const auto distances = piece.tensors.find(kDistances);
  if (distances == piece.tensors.end()) return calibration;
  calibration.distances = numbers_of(distances->second, kDistances);
  piece.tensors.erase(distances);
  return calibration;
}

std::optional<double> largest_map_value(const Method& method, TaskId task, const TaskData& data) {
  if (!method.info().makes_map) return std::nullopt;
  std::optional<double> largest;
  const std::vector<TaskId> candidates = {task};
  for (const auto row : some_rows(data, task)) {
    const auto scored = method.score(data.images(row, row + 1), {.candidates = candidates});
    CADENZA_DCHECK(scored.anomaly_map.has_value());
    const double value = scored.anomaly_map->max().item<float>();
    largest = std::max(largest.value_or(value), value);
  }
  return largest;
}

}  // namespace cadenza
