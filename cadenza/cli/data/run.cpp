#include "cadenza/cli/run.h"

#include "cadenza/cli/data/data.h"

namespace cadenza {

void register_data(RunTable& table) {
  table.add("data", [](const CommandContext& context) {
    const auto& command = context.invocation.command;
    if (command == "data check") return run_data_check(context);
    if (command == "data convert") return run_data_convert(context);
    if (command == "data lists") return run_data_lists(context);
    if (command == "data fewshot") return run_data_fewshot(context);
    return run_data_masks(context);
  });
}

}  // namespace cadenza
