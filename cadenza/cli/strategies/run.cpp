#include "cadenza/cli/run.h"

#include <ostream>

#include "cadenza/base/json.h"
#include "cadenza/cli/registry_listing.h"
#include "cadenza/continual/strategy.h"

namespace cadenza {

namespace {

Json entry_json(const StrategyEntry& entry) {
  return {{"name", entry.name},
          {"summary", entry.info.summary},
          {"source", entry.info.source},
          {"cumulative_data", entry.info.cumulative_data},
          {"fresh_model_each_step", entry.info.fresh_model_each_step},
          {"frozen", entry.info.frozen},
          {"options", options_json(entry.options)}};
}

std::string entry_text(const StrategyEntry& entry) {
  std::string text =
      cat(entry.name, ": ", entry.info.summary, "\n  source: ", entry.info.source, "\n");
  if (entry.info.cumulative_data) text += "  a step sees the images of all earlier steps too\n";
  if (entry.info.fresh_model_each_step) text += "  each step starts from the initial weights\n";
  if (entry.info.frozen) text += "  nothing is trained after the first step\n";
  return text + options_text(entry.options);
}

int run_strategies(const CommandContext& context) {
  const auto strategies = builtin_strategies();
  if (context.invocation.has("cite")) {
    const auto& entry = strategies.find(context.invocation.text("cite"));
    if (context.invocation.flag("json")) {
      context.out << Json{{"name", entry.name}, {"bibtex", entry.bibtex}}.dump(2) << '\n';
    } else {
      context.out << entry.bibtex << '\n';
    }
    return kExitDone;
  }
  const auto asked = context.invocation.list("names");
  const auto names = asked.empty() ? strategies.names() : asked;
  if (context.invocation.flag("json")) {
    Json list = Json::array();
    for (const auto& name : names) list.push_back(entry_json(strategies.find(name)));
    context.out << Json{{"strategies", list}}.dump(2) << '\n';
    return kExitDone;
  }
  if (!asked.empty()) {
    for (const auto& name : asked) context.out << entry_text(strategies.find(name)) << '\n';
    return kExitDone;
  }
  std::vector<std::pair<std::string, std::string>> rows;
  for (const auto& name : names) rows.emplace_back(name, strategies.find(name).info.summary);
  context.out << names_text(rows)
              << "\nStrategies act on methods whose products share trained parameters.\n"
                 "`cadenza strategies NAME` lists the options of a strategy.\n";
  return kExitDone;
}

}  // namespace

void register_strategies(RunTable& table) { table.add("strategies", run_strategies); }

}  // namespace cadenza
