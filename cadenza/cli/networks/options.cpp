#include "cadenza/cli/command.h"

namespace cadenza {

void describe_networks(CommandTable& table) {
  table.add(
      {.name = "networks",
       .summary = "the networks that methods may use: taps, parameters, input, weights",
       .description = "Without a name it lists all networks; with one or more it adds the "
                      "taps that methods can be told, and where weights come from.",
       .arguments =
           {text_argument("names", "NAME", "networks to describe in full").positional().repeated()},
       .examples = {"cadenza networks", "cadenza networks efficientnet_lite0"}});
}

}  // namespace cadenza
