#include "cadenza/cli/model_access.h"

#include <cstdio>

#include "cadenza/base/error.h"
#include "cadenza/cli/thread_count.h"

namespace cadenza {

namespace {

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

}  // namespace

NetworkEnvironment environment_of(const CommandContext& context) {
  const auto& given = context.invocation;
  return {.weights_folder = given.text_or("weights", ""),
          .device = given.text("device"),
          .n_threads = thread_count(given.integer("threads")),
          .progress = &context.progress};
}

OptionTexts parse_settings(const std::vector<std::string>& settings) {
  OptionTexts options;
  for (const auto& setting : settings) {
    const auto sign = setting.find('=');
    CADENZA_REQUIRE(sign != std::string::npos && sign > 0, ErrorCode::kInvalidArgument, "--set ",
                    setting, ": expected key=value");
    const auto key = setting.substr(0, sign);
    CADENZA_REQUIRE(options.emplace(key, setting.substr(sign + 1)).second,
                    ErrorCode::kInvalidArgument, "--set ", key, ": given twice");
  }
  return options;
}

Json to_json(const TaskRecord& task) {
  return {{"id", task.id},
          {"name", task.name},
          {"images", task.n_images},
          {"learned", task.learned},
          {"bytes", task.state.n_bytes},
          {"threshold", or_null(task.threshold.value)},
          {"threshold_source", to_string(task.threshold.source)},
          {"target_fpr", task.threshold.target_fpr},
          {"certified", task.threshold.is_certified},
          {"normals", task.threshold.n_normals},
          {"reject_above", or_null(task.reject_above)},
          {"map_threshold", or_null(task.map_threshold)}};
}

std::string threshold_text(const ThresholdRecord& threshold) {
  if (!threshold.value) {
    return cat("none (", threshold.n_normals, " scored normals are too few)");
  }
  const auto value = number_text(*threshold.value);
  if (threshold.source == ThresholdSource::kManual) return value + " (manual)";
  return cat(value, " (", to_string(threshold.source), ", ",
             number_text(100 * threshold.target_fpr), " % false alarms, ",
             threshold.is_certified ? "certified" : "an estimate", ")");
}

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

}  // namespace cadenza
