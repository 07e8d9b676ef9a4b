#include "cadenza/cli/run.h"

#include <ostream>

#include "cadenza/base/json.h"
#include "cadenza/cli/licenses/component.h"
#include "cadenza/report/table.h"

namespace cadenza {

namespace {

int run_licenses(const CommandContext& context) {
  if (context.invocation.flag("notices")) {
    context.out << notices_text();
    return kExitDone;
  }
  Json list = Json::array();
  Table table{.columns = {"component", "licence", "how", "for"}, .rows = {}, .n_names = 4};
  for (const auto& one : components()) {
    list.push_back({{"name", one.name},
                    {"license", one.license},
                    {"delivery", to_string(one.delivery)},
                    {"purpose", one.purpose},
                    {"note", one.note}});
    table.rows.push_back({one.name, one.license, to_string(one.delivery), one.purpose});
  }
  if (context.invocation.flag("json")) {
    context.out << Json{{"licenses", list}}.dump(2) << '\n';
  } else {
    context.out << plain_text(table);
  }
  return kExitDone;
}

}  // namespace

void register_licenses(RunTable& table) { table.add("licenses", run_licenses); }

}  // namespace cadenza
