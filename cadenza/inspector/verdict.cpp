#include "cadenza/inspector/verdict.h"

namespace cadenza {

namespace {

template <class Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json to_json(const Region& region) {
  return {{"x", region.x},
          {"y", region.y},
          {"width", region.width},
          {"height", region.height},
          {"area", region.area},
          {"max_score", region.max_score},
          {"centroid", region.centroid}};
}

double total_milliseconds(const StageClock& clock) {
  double total = 0;
  for (const auto stage : {Stage::kDecode, Stage::kPreprocess, Stage::kNetwork, Stage::kScore}) {
    total += clock.milliseconds(stage);
  }
  return total;
}

}  // namespace

std::string_view to_string(Label label) noexcept {
  switch (label) {
    case Label::kNormal:
      return "normal";
    case Label::kDefect:
      return "defect";
    case Label::kUnknown:
      return "unknown";
  }
  return "unknown";
}

Json to_json(const Verdict& verdict) {
  Json line;
  line["task"] = verdict.is_rejected ? Json(nullptr) : or_null(verdict.task);
  if (verdict.is_rejected) line["nearest_task"] = or_null(verdict.task);
  line["task_distance"] = or_null(verdict.task_distance);
  line["label"] = to_string(verdict.label);
  line["score"] = or_null(verdict.score);
  line["p_value"] = or_null(verdict.p_value);
  line["threshold"] = or_null(verdict.threshold);
  line["regions"] = Json::array();
  for (const auto& region : verdict.regions) line["regions"].push_back(to_json(region));
  line["milliseconds"] = total_milliseconds(verdict.clock);
  return line;
}

}  // namespace cadenza
