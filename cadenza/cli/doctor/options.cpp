#include "cadenza/cli/command.h"

namespace cadenza {

void describe_doctor(CommandTable& table) {
  table.add({.name = "doctor",
             .summary = "checks that this machine and this installation can do the work",
             .description =
                 "Looks at processor, memory, threads, disk, both engines (a small network runs on "
                 "each and must agree), weights and where a model would be written. Ends with the "
                 "status of not-found or io when something is missing, and says what to do.",
             .arguments = {text_argument("model", "DIR", ".",
                                         "model directory, or the folder that would hold one: can "
                                         "it be written?")},
             .examples = {"cadenza doctor", "cadenza doctor --json --model line"}});
}

}  // namespace cadenza
