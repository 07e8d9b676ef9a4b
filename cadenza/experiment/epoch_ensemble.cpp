#include "cadenza/experiment/epoch_ensemble.h"

#include <algorithm>
#include <utility>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/tensor/map.h"

namespace cadenza {
namespace {

constexpr std::int64_t kLargestKept = 256;  // px of a side

at::Tensor kept_map(const ScoreMap& map) {
  const auto whole = at::tensor(map.values).view({1, map.height_px, map.width_px});
  const auto longest = std::max(map.height_px, map.width_px);
  if (longest <= kLargestKept) return whole;
  const auto part = [&](std::int64_t side) {
    return std::max<std::int64_t>(1, side * kLargestKept / longest);
  };
  return at::adaptive_avg_pool2d(whole, {part(map.height_px), part(map.width_px)});
}

void append(std::vector<float>& all, const at::Tensor& values) {
  const auto flat = values.contiguous();
  all.insert(all.end(), flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel());
}

}  // namespace

EpochEnsemble::EpochEnsemble(const TestImages& images, std::vector<std::string> tasks,
                             MakeMeter make_meter, std::int64_t pixel_size)
    : images_(images), make_meter_(std::move(make_meter)), pixel_size_(pixel_size) {
  for (auto& task : tasks) tasks_.push_back({.name = std::move(task)});
}

void EpochEnsemble::add_epoch(const Score& score) {
  for (auto& task : tasks_) {
    std::vector<float> scores, maps;
    task.sizes.clear();
    for (const auto& sample : images_.of_task.at(task.name)) {
      const auto verdict = score(sample);
      scores.push_back(static_cast<float>(verdict.score.value()));
      MapSize size;
      if (!verdict.map.empty()) {
        const auto map = kept_map(verdict.map);
        size = {verdict.map.height_px, verdict.map.width_px, map.size(1), map.size(2)};
        append(maps, map);
      }
      task.sizes.push_back(size);
    }
    task.scores.add(scores);
    if (!maps.empty()) task.maps.add(maps);
  }
}

MetricValues EpochEnsemble::measure(const OneTask& task, bool has_pixels) const {
  const auto meter = make_meter_({.has_pixels = has_pixels, .pixel_size = pixel_size_});
  const auto scores = task.scores.mean();
  auto maps = task.maps.mean();
  auto* map = maps.data();
  std::size_t image = 0;
  for (const auto& sample : images_.of_task.at(task.name)) {
    Verdict verdict;
    verdict.task = task.name;
    verdict.score = scores[image];
    const auto& size = task.sizes[image++];
    if (has_pixels && size.height_px > 0) {
      const auto kept = at::from_blob(map, {1, size.kept_height, size.kept_width}, at::kFloat);
      const auto whole = enlarge_bilinear(kept, size.height_px, size.width_px);
      verdict.map = {.height_px = size.height_px, .width_px = size.width_px, .values = {}};
      append(verdict.map.values, whole);
    }
    map += size.kept_height * size.kept_width;
    meter->add(sample, verdict);
  }
  return meter->measure();
}

std::map<std::string, MetricValues> EpochEnsemble::measure() const {
  std::map<std::string, MetricValues> all;
  for (const auto& task : tasks_) all[task.name] = measure(task, true);
  return all;
}

double EpochEnsemble::image_auroc() const {
  double sum = 0;
  int n_defined = 0;
  for (const auto& task : tasks_) {
    const auto value = measure(task, false).values.at("image_AUROC");
    sum += value.value_or(0);
    n_defined += value.has_value();
  }
  CADENZA_REQUIRE(n_defined > 0, ErrorCode::kInvalidArgument,
                  "image_AUROC is defined for no task: each needs normal and defect images");
  return sum / n_defined;
}

}  // namespace cadenza
