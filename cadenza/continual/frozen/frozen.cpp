#include "cadenza/continual/strategy.h"

namespace cadenza {

void register_frozen(StrategyRegistry& registry) {
  registry.add({.name = "frozen",
                .info = {.name = "frozen",
                         .summary = "trains the parameters in the first step only; later tasks add "
                                    "memories and statistics",
                         .source = "",
                         .frozen = true},
                .options = {},
                .bibtex = "",
                .make = [](const Options&, std::uint64_t) {
                  return std::make_unique<ContinualStrategy>();
                }});
}

}  // namespace cadenza
