#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cadenza/base/clock.h"
#include "cadenza/base/json.h"

namespace cadenza {

enum class Label {
  kNormal,   ///< the score does not exceed the task's threshold
  kDefect,   ///< it does
  kUnknown,  ///< no task is near enough, or the task has too few normals for a threshold
};

/// "normal", "defect", "unknown": part of the file formats.
std::string_view to_string(Label label) noexcept;

/// One connected part of an anomaly map, in pixels of the original image.
struct Region {
  std::int64_t x = 0, y = 0, width = 0, height = 0;  ///< bounding box
  std::int64_t area = 0;
  double max_score = 0;                      ///< largest map value inside
  std::array<double, 2> centroid{0.0, 0.0};  ///< x, y of the area's centre
};

/// An anomaly map as large as the original image; row-major, higher is more anomalous.
struct ScoreMap {
  std::int64_t height_px = 0, width_px = 0;
  std::vector<float> values;
  bool empty() const noexcept { return values.empty(); }
};

/// All that is said about one image.
struct Verdict {
  Label label = Label::kUnknown;
  /// The task it was judged by. When `is_rejected`, merely the nearest one.
  std::optional<std::string> task;
  bool is_rejected = false;             ///< no task is near enough
  std::optional<double> task_distance;  ///< 1 = a typical normal of that task
  std::optional<double> score;          ///< raw; absent while no task is known
  std::optional<double> p_value;        ///< among the task's left-out normals
  std::optional<double> threshold;      ///< the score must exceed it to be a defect
  std::optional<double> map_threshold;  ///< map values above it are outside what normals show
  std::vector<Region> regions;          ///< largest max_score first; only of defects and rejected
  ScoreMap map;                         ///< empty when not asked for or the method makes none
  StageClock clock;                     ///< decode, preprocess, network, score
};

/// The members of one predictions.jsonl line, without file, overlay, map and model (formats.md).
Json to_json(const Verdict& verdict);

}  // namespace cadenza
