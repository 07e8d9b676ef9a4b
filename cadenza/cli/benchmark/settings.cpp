#include "cadenza/cli/benchmark/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "cadenza/base/error.h"
#include "cadenza/base/json.h"
#include "cadenza/cli/labelled_data.h"
#include "cadenza/cli/model_access.h"
#include "cadenza/experiment/protocol.h"

namespace cadenza {

namespace {

std::vector<std::uint64_t> read_seeds(const std::string& text) {
  std::vector<std::uint64_t> seeds;
  for (const auto& item : split_list("--seeds", text)) {
    std::uint64_t seed = 0;
    const auto [end, failure] = std::from_chars(item.data(), item.data() + item.size(), seed);
    CADENZA_REQUIRE(failure == std::errc{} && end == item.data() + item.size(),
                    ErrorCode::kInvalidArgument, "--seeds: '", item,
                    "' is no number from 0 on; expected a list like 0,1,2");
    CADENZA_REQUIRE(std::ranges::find(seeds, seed) == seeds.end(), ErrorCode::kInvalidArgument,
                    "--seeds: ", seed, " stands twice");
    seeds.push_back(seed);
  }
  return seeds;
}

/// Divides --set: KEY is the method's, STRATEGY.KEY a strategy's.
void read_options(const Invocation& given, const StrategyRegistry& strategies,
                  ExperimentSettings& settings) {
  for (const auto& [key, value] : parse_settings(given.list("set"))) {
    const auto dot = key.find('.');
    const bool is_of_strategy =
        dot != std::string::npos && strategies.contains(std::string_view(key).substr(0, dot));
    (is_of_strategy ? settings.strategy_options : settings.options)[key] = value;
  }
}

/// "ewc.lambda" becomes "lambda" of strategy ewc.
void strip_prefix(const std::string& strategy, OptionTexts& options) {
  OptionTexts stripped;
  for (const auto& [key, value] : options) {
    const auto dot = key.find('.');
    CADENZA_REQUIRE(key.substr(0, dot) == strategy, ErrorCode::kInvalidArgument, "--set ", key, "=",
                    value, ": is an option of strategy '", key.substr(0, dot), "', but ",
                    strategy.empty() ? "no strategy was asked for (--strategy)"
                                     : cat("--strategy is ", strategy));
    stripped[key.substr(dot + 1)] = value;
  }
  options = std::move(stripped);
}

}  // namespace

std::vector<std::string> compared_strategies(const Invocation& given,
                                             const StrategyRegistry& strategies) {
  if (!given.has("strategy")) return {};
  if (given.text("strategy") == "all") return strategies.names();
  auto names = split_list("--strategy", given.text("strategy"));
  return names.size() > 1 ? names : std::vector<std::string>{};
}

ExperimentSettings read_settings(const Invocation& given, const Dataset& dataset,
                                 const StrategyRegistry& strategies) {
  ExperimentSettings settings{.method = given.text("method")};
  settings.protocol = given.text("protocol");
  if (given.has("order")) settings.order = parse_order(given.text("order"), dataset.tasks);
  settings.seeds = read_seeds(given.text("seeds"));
  settings.mode = given.text("mode") == "paper" ? RunMode::kPaper : RunMode::kHonest;
  settings.known_task = given.flag("known_task");
  settings.zero_shot = given.flag("zero_shot");
  settings.hold_back = given.flag("hold_back");
  settings.target_fpr = given.real("target_fpr");
  settings.pixel_size = given.integer("pixel_size");
  settings.shots = given.integer("shots");
  read_options(given, strategies, settings);
  if (!compared_strategies(given, strategies).empty()) return settings;
  settings.strategy = given.text_or("strategy", "");
  if (!settings.strategy.empty()) strategies.find(settings.strategy);
  strip_prefix(settings.strategy, settings.strategy_options);
  return settings;
}

std::string resolved_config(const Invocation& given) {
  static const std::set<std::string> kNoPartOfTheRun = {
      "out", "config", "evaluate_only", "help", "verbose", "quiet", "json"};
  std::string text = "# cadenza benchmark --config FILE --out DIR\n";
  for (const auto& [name, value] : given.options.texts()) {
    if (!kNoPartOfTheRun.contains(name)) text += cat(name, ": ", Json(value).dump(), "\n");
  }
  for (const auto& [name, values] : given.lists) text += cat(name, ": ", Json(values).dump(), "\n");
  return text;
}

}  // namespace cadenza
