#include "cadenza/cli/run.h"

#include <ostream>

#include "cadenza/base/json.h"
#include "cadenza/cli/registry_listing.h"
#include "cadenza/method/registry.h"

namespace cadenza {

namespace {

Json entry_json(const MethodEntry& entry) {
  const auto& info = entry.info;
  return {{"name", entry.name},
          {"summary", info.summary},
          {"source", info.source},
          {"makes_map", info.makes_map},
          {"picks_task", info.picks_task},
          {"shares_parameters", info.shares_parameters},
          {"isolates_tasks", info.isolates_tasks},
          {"min_images", info.min_images},
          {"network", info.network},
          {"options", options_json(entry.options)}};
}

std::string entry_text(const MethodEntry& entry) {
  const auto& info = entry.info;
  std::string text = cat(entry.name, ": ", info.summary, "\n  source: ", info.source, "\n");
  text += info.picks_task ? "  finds out by itself which product an image shows\n"
                          : "  must be told which product an image shows\n";
  text += info.isolates_tasks      ? "  learning a product changes nothing for the others\n"
          : info.shares_parameters ? "  all products share trained parameters: strategies apply\n"
                                   : "";
  return cat(text, "  needs ", info.min_images, info.min_images == 1 ? " image" : " images",
             " of good parts at least\n", options_text(entry.options));
}

int run_methods(const CommandContext& context) {
  const auto methods = builtin_methods();
  if (context.invocation.has("cite")) {
    const auto& entry = methods.find(context.invocation.text("cite"));
    if (context.invocation.flag("json")) {
      context.out << Json{{"name", entry.name}, {"bibtex", entry.bibtex}}.dump(2) << '\n';
    } else {
      context.out << entry.bibtex << '\n';
    }
    return kExitDone;
  }
  const auto asked = context.invocation.list("names");
  const auto names = asked.empty() ? methods.names() : asked;
  if (context.invocation.flag("json")) {
    Json list = Json::array();
    for (const auto& name : names) list.push_back(entry_json(methods.find(name)));
    context.out << Json{{"methods", list}}.dump(2) << '\n';
    return kExitDone;
  }
  if (!asked.empty()) {
    for (const auto& name : asked) context.out << entry_text(methods.find(name)) << '\n';
    return kExitDone;
  }
  std::vector<std::pair<std::string, std::string>> rows;
  for (const auto& name : names) rows.emplace_back(name, methods.find(name).info.summary);
  context.out << names_text(rows) << "\n`cadenza methods NAME` lists the options of a method.\n";
  return kExitDone;
}

}  // namespace

void register_methods(RunTable& table) { table.add("methods", run_methods); }

}  // namespace cadenza
