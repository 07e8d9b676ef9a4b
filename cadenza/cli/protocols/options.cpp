#include "cadenza/cli/command.h"

namespace cadenza {

void describe_protocols(CommandTable& table) {
  table.add({.name = "protocols",
             .summary = "in which steps products can be learned: the grammar and published streams",
             .arguments = {},
             .examples = {"cadenza protocols", "cadenza protocols --json"}});
}

}  // namespace cadenza
