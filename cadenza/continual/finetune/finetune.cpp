#include "cadenza/continual/strategy.h"

namespace cadenza {

void register_finetune(StrategyRegistry& registry) {
  registry.add({.name = "finetune",
                .info = {.name = "finetune",
                         .summary = "trains each task on its own images alone: the lower bound",
                         .source = ""},
                .options = {},
                .bibtex = "",
                .make = [](const Options&, std::uint64_t) {
                  return std::make_unique<ContinualStrategy>();
                }});
}

}  // namespace cadenza
