#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cadenza/inspector/verdict.h"
#include "cadenza/method/method.h"

namespace cadenza {

/// What makes a verdict of a task's raw scores.
struct TaskCalibration {
  TaskId id = 0;
  std::string name;
  std::vector<float> normal_scores;     ///< of left-out normals, any order; empty: no p-value
  std::optional<double> threshold;      ///< absent: the task's verdicts are kUnknown
  std::optional<double> reject_above;   ///< task_distance beyond which the task does not apply
  std::optional<double> map_threshold;  ///< absent: no regions
};

struct ScoreImageOptions {
  /// Judge by this task alone and reject nothing; absent: the method routes.
  std::optional<TaskId> task;
  bool makes_map = true;  ///< fill Verdict::map; regions are found either way
};

/// The one path from the bytes of an image file to a verdict: library, command line, server and
/// benchmark runner call it. Decodes, prepares, scores, routes, compares with the threshold,
/// brings the map to the size of the original image and finds its regions.
///
/// `name` (the file) opens error messages. Without any task the verdict is kUnknown and has no
/// score.
/// Errors   as decode_image() for the bytes. kInvalidArgument: an unknown `task`, or several tasks,
///          none given and a method that does not route.
/// Threads  pure; any number of calls at once.
Verdict score_image(const Method& method, std::span<const TaskCalibration> tasks,
                    std::span<const std::byte> bytes, std::string_view name,
                    const ScoreImageOptions& options = {});

}  // namespace cadenza
