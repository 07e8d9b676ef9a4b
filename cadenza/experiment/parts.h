#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cadenza/continual/strategy.h"
#include "cadenza/dataset/sample.h"
#include "cadenza/inspector/manifest.h"
#include "cadenza/inspector/score_image.h"
#include "cadenza/method/registry.h"

namespace cadenza {

/// Metrics of one task by name ("image_AUROC"); absent: undefined, and a note says why.
struct MetricValues {
  std::map<std::string, std::optional<double>> values;
  std::vector<std::string> notes;
};

/// Gathers verdicts on test images of one task, or of all (pooled), and measures them.
class TaskMeter {
 public:
  virtual ~TaskMeter() = default;
  /// `verdict` has a score. Its map is the size of the image and may be dropped afterwards. What
  /// throws has added nothing.
  virtual void add(const Sample& truth, const Verdict& verdict) = 0;
  virtual MetricValues measure() const = 0;
};

struct MeterOptions {
  bool has_pixels = true;       ///< false: image metrics alone (pooled)
  std::int64_t pixel_size = 0;  ///< see ExperimentSettings
};

/// The pieces that a run is put together from. builtin_parts() gives those of the product; a test
/// replaces what it does not want to wait for.
struct ExperimentParts {
  MethodRegistry methods;
  StrategyRegistry strategies;
  NetworkEnvironment environment;
  /// The training images of one step: normals of `tasks`, prepared as `input` says.
  std::function<std::unique_ptr<TaskData>(std::vector<TaskRef> tasks, std::vector<Sample> samples,
                                          const InputSpec& input)>
      open_training;
  /// inspector/score_image.h
  std::function<Verdict(const Method&, std::span<const TaskCalibration>, std::span<const std::byte>,
                        std::string_view name, const ScoreImageOptions&)>
      score_image;
  /// inspector/threshold.h
  std::function<ThresholdRecord(const Calibration*, double target_fpr, ThresholdSource)>
      make_threshold;
  std::function<std::unique_ptr<TaskMeter>(const MeterOptions&)> make_meter;
  /// Draws what a person is shown of a test image after the last step, from the bytes of its file,
  /// below `folder`, and adds the time to the verdict's clock (render). What it returns goes into
  /// the image's predictions line ({"overlay": path}). No function: nothing is shown.
  std::function<Json(const std::filesystem::path& folder, const Sample&, std::span<const std::byte>,
                     Verdict&)>
      show;
  /// The same tasks with the larger memory that `memory_gap` compares with; null from it: none. No
  /// function: Method::with_larger_memory().
  std::function<std::unique_ptr<Method>(const Method&)> with_larger_memory;
};

}  // namespace cadenza
