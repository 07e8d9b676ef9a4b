#include "cadenza/cli/command.h"

namespace cadenza {

void describe_methods(CommandTable& table) {
  table.add(
      {.name = "methods",
       .summary = "what can learn: methods, their options and sources",
       .description = "Without a name it lists all methods; with one or more it adds what "
                      "they can do and the options that --set takes.",
       .arguments =
           {text_argument("names", "NAME", "methods to describe in full").positional().repeated(),
            text_argument("cite", "NAME", "print the BibTeX entry of this method")},
       .examples = {"cadenza methods", "cadenza methods routed_memory",
                    "cadenza methods --cite patchcore"}});
}

}  // namespace cadenza
