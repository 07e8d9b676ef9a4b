#include "cadenza/cli/command.h"

namespace cadenza {

void describe_strategies(CommandTable& table) {
  table.add(
      {.name = "strategies",
       .summary = "what keeps methods from forgetting: strategies, options, sources",
       .description = "Without a name it lists all strategies; with one or more it adds what "
                      "the options that --strategy-set takes.",
       .arguments = {text_argument("names", "NAME", "strategies to describe in full")
                         .positional()
                         .repeated(),
                     text_argument("cite", "NAME", "print the BibTeX entry of this strategy")},
       .examples = {"cadenza strategies", "cadenza strategies ewc",
                    "cadenza strategies --cite ewc"}});
}

}  // namespace cadenza
