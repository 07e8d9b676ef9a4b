#include "cadenza/cli/command.h"

namespace cadenza {

void describe_licenses(CommandTable& table) {
  table.add({.name = "licenses",
             .summary = "licences of the code, the weights, the demo's data and the libraries",
             .arguments = {flag_argument("notices", "print THIRD_PARTY_NOTICES.md")},
             .examples = {"cadenza licenses", "cadenza licenses --json"}});
}

}  // namespace cadenza
