#include "cadenza/continual/strategy.h"

namespace cadenza {

void register_upper(StrategyRegistry& registry) {
  registry.add(
      {.name = "upper",
       .info = {.name = "upper",
                .summary = "each step goes on from the last weights with the images of all "
                           "tasks so far",
                .source = "dne_cl.md 1.11",
                .cumulative_data = true},
       .options = {},
       .bibtex = "",
       .make = [](const Options&, std::uint64_t) {
         return std::make_unique<ContinualStrategy>();
       }});
}

}  // namespace cadenza
