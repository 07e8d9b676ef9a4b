#include "cadenza/cli/run.h"

#include <array>
#include <ostream>

#include "cadenza/base/json.h"
#include "cadenza/base/suggest.h"
#include "cadenza/cli/registry_listing.h"
#include "cadenza/experiment/protocol.h"

namespace cadenza {

namespace {

using Row = std::pair<std::string, std::string>;

/// The grammar of make_stream(), for people.
const std::vector<Row>& grammar() {
  static const std::vector<Row> rows = {
      {"KxT", "T steps of K products each; KxN: as many steps as there are products for"},
      {"X-Y", "X products, then Y a step until none is left"},
      {"X-YxT", "X products, then T steps of Y products each"},
      {"joint", "all products in one step"}};
  return rows;
}

int run_protocols(const CommandContext& context) {
  if (context.invocation.flag("json")) {
    Json patterns = Json::array(), named = Json::array();
    for (const auto& [pattern, summary] : grammar()) {
      patterns.push_back({{"pattern", pattern}, {"summary", summary}});
    }
    for (const auto& protocol : named_protocols()) {
      named.push_back({{"name", protocol.name},
                       {"summary", protocol.summary},
                       {"source", protocol.source},
                       {"pattern", protocol.pattern},
                       {"tasks", protocol.tasks},
                       {"has_own_order", protocol.has_own_order}});
    }
    context.out << Json{{"protocols", named}, {"patterns", patterns}}.dump(2) << '\n';
    return kExitDone;
  }
  std::vector<Row> rows;
  for (const auto& protocol : named_protocols()) {
    rows.emplace_back(protocol.name, cat(protocol.summary, " (", protocol.pattern, ")"));
  }
  context.out << "patterns\n" << names_text(grammar()) << "\nby name\n" << names_text(rows);
  return kExitDone;
}

}  // namespace

void register_protocols(RunTable& table) { table.add("protocols", run_protocols); }

}  // namespace cadenza
