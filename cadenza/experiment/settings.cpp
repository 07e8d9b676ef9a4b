#include "cadenza/experiment/settings.h"

namespace cadenza {

std::string_view to_string(RunMode mode) noexcept {
  return mode == RunMode::kHonest ? "honest" : "paper";
}

Json to_json(const ExperimentSettings& settings) {
  return {{"method", settings.method},
          {"options", settings.options},
          {"strategy", settings.strategy.empty() ? Json(nullptr) : Json(settings.strategy)},
          {"strategy_options", settings.strategy_options},
          {"protocol", settings.protocol},
          {"order", settings.order},
          {"seeds", settings.seeds},
          {"mode", to_string(settings.mode)},
          {"known_task", settings.known_task},
          {"zero_shot", settings.zero_shot},
          {"hold_back", settings.hold_back},
          {"target_fpr", settings.target_fpr},
          {"pixel_size", settings.pixel_size},
          {"shots", settings.shots}};
}

}  // namespace cadenza
