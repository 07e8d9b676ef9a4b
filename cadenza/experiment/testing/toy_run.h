#pragma once

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "tests/support/memory_task_data.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/toy_methods.h"
#include <ATen/ATen.h>

#include "cadenza/base/file.h"
#include "cadenza/base/rng.h"
#include "cadenza/experiment/runner.h"
#include "cadenza/memory/conformal.h"

namespace cadenza {

// An "image file" of these tests is 48 bytes: 4x4 pixels of 3 channels.
inline at::Tensor pixels_of(std::span<const std::byte> bytes) {
  auto pixels = at::empty({1, 4, 4, 3}, at::kByte);
  std::memcpy(pixels.mutable_data_ptr<std::uint8_t>(), bytes.data(), 48);
  return pixels;
}

inline at::Tensor image_of(std::span<const std::byte> bytes) {
  return pixels_of(bytes).permute({0, 3, 1, 2}).to(at::kFloat).div(255).contiguous();
}

/// Three products of their own colours; defects are brighter.
inline Dataset write_products(const std::filesystem::path& root) {
  Dataset dataset{.layout = "toy", .root = root, .tasks = {"blue", "green", "red"}};
  for (std::size_t task = 0; task < 3; ++task) {
    for (int image = 0; image < 42; ++image) {
      Sample sample{.file = root / cat(dataset.tasks[task], "_", image),
                    .task = dataset.tasks[task]};
      sample.split = image < 24 ? Split::kTrain : Split::kTest;
      sample.is_defect = image >= 33;
      Rng rng(0, sample.file.filename().string());
      std::string bytes;
      for (std::size_t value = 0; value < 48; ++value) {
        const auto base = value % 3 == 2 - task ? 120 : 20;
        bytes.push_back(static_cast<char>(base + rng.below(30) + (sample.is_defect ? 12 : 0)));
      }
      write_file_atomic(sample.file, bytes);
      dataset.samples.push_back(sample);
    }
  }
  return dataset;
}

/// Image metrics by counting pairs.
class PairMeter final : public TaskMeter {
 public:
  void add(const Sample& truth, const Verdict& verdict) override {
    (truth.is_defect ? defects_ : normals_).push_back(verdict.score.value());
  }
  MetricValues measure() const override {
    MetricValues metrics;
    double won = 0;
    for (const auto defect : defects_) {
      for (const auto normal : normals_) won += defect > normal ? 1 : defect == normal ? 0.5 : 0;
    }
    const auto n_pairs = static_cast<double>(defects_.size() * normals_.size());
    metrics.values["image_AUROC"] = n_pairs > 0 ? std::optional(won / n_pairs) : std::nullopt;
    metrics.values["pixel_AUPR"] = std::nullopt;
    metrics.notes = {"pixel metrics undefined: no masks"};
    return metrics;
  }

 private:
  std::vector<double> normals_, defects_;
};

/// A run on the products with toy methods; `on_event` is called before each training and each
/// scoring and may throw.
struct ToyRun {
  ToyRun() : dataset(write_products(make_folder(folder.path() / "data"))) {
    settings.method = "toy_colour";
    parts.methods = toy_methods();
    parts.strategies = builtin_strategies();
    parts.open_training = [this](std::vector<TaskRef> tasks, std::vector<Sample> samples,
                                 const InputSpec&) {
      on_event();
      std::vector<at::Tensor> pixels;
      std::vector<std::int64_t> which;
      std::string names;
      for (const auto& task : tasks) names += (names.empty() ? "" : ",") + task.name;
      for (const auto& sample : samples) {
        pixels.push_back(pixels_of(read_file(sample.file)));
        const auto own = std::ranges::find(tasks, sample.task, &TaskRef::name);
        which.push_back(own - tasks.begin());
      }
      trained.push_back(names + ": " + std::to_string(samples.size()));
      return std::make_unique<MemoryTaskData>(std::move(tasks), at::cat(pixels), at::tensor(which));
    };
    parts.score_image = [this](const Method& method, std::span<const TaskCalibration> tasks,
                               std::span<const std::byte> bytes, std::string_view,
                               const ScoreImageOptions& options) {
      on_event();
      ++n_scored;
      std::vector<TaskId> candidates;
      if (options.task) candidates = {*options.task};
      const auto scored = method.score(image_of(bytes), {.candidates = candidates});
      const auto id = scored.task ? scored.task->item<std::int64_t>() : options.task.value_or(0);
      const auto task = std::ranges::find(tasks, id, &TaskCalibration::id);
      Verdict verdict;
      verdict.score = scored.image_score.item<float>();
      if (task != tasks.end()) {
        verdict.task = task->name;
        verdict.threshold = task->threshold;
        verdict.is_rejected = !options.task && task->reject_above &&
                              scored.task_distance->item<float>() > *task->reject_above;
      }
      if (verdict.threshold && !verdict.is_rejected) {
        verdict.label = *verdict.score > *verdict.threshold ? Label::kDefect : Label::kNormal;
      }
      verdict.clock.add(Stage::kScore, std::chrono::milliseconds(2));
      return verdict;
    };
    parts.make_threshold = [](const Calibration* calibration, double target,
                              ThresholdSource source) {
      ThresholdRecord record{.value = {}, .source = source, .target_fpr = target};
      if (calibration == nullptr) return record;
      if (const auto found = threshold_for(calibration->scores, target))
        record.value = found->value;
      return record;
    };
    parts.make_meter = [](const MeterOptions&) { return std::make_unique<PairMeter>(); };
  }

  static std::filesystem::path make_folder(const std::filesystem::path& path) {
    std::filesystem::create_directories(path);
    return path;
  }
  Json run(const std::string& name = "run", bool evaluate_only = false) {
    return run_experiment(settings, dataset, parts, folder.path() / name,
                          {.evaluate_only = evaluate_only});
  }
  std::filesystem::path seed_folder(const std::string& name = "run", int seed = 0) const {
    return folder.path() / name / cat("seed-", seed);
  }
  Json results(const std::string& name = "run", int seed = 0) const {
    return read_json(seed_folder(name, seed) / "results.json");
  }
  /// Content addresses of everything that was learned.
  std::set<std::string> states(const std::string& name = "run") const {
    std::set<std::string> all;
    for (const auto& entry :
         std::filesystem::directory_iterator(seed_folder(name) / "model" / "state")) {
      all.insert(entry.path().filename().string());
    }
    return all;
  }

  TemporaryFolder folder;
  Dataset dataset;
  ExperimentSettings settings;
  ExperimentParts parts;
  std::function<void()> on_event = [] {};
  int n_scored = 0;
  std::vector<std::string> trained;
};

}  // namespace cadenza
