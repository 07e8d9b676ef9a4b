#include "cadenza/continual/strategy.h"

namespace cadenza {

void register_joint(StrategyRegistry& registry) {
  registry.add(
      {.name = "joint",
       .info = {.name = "joint",
                .summary = "each step: a fresh model, trained on the images of all tasks so "
                           "far together: the upper bound",
                .source = "",
                .cumulative_data = true,
                .fresh_model_each_step = true},
       .options = {},
       .bibtex = "",
       .make = [](const Options&, std::uint64_t) {
         return std::make_unique<ContinualStrategy>();
       }});
}

}  // namespace cadenza
