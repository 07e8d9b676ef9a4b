#include "cadenza/cli/command.h"

namespace cadenza {

void describe_threshold(CommandTable& table) {
  const auto model = text_argument("model", "DIR", "model directory").required();
  table.add({.name = "threshold show",
             .summary = "the score beyond which an image is a defect, and where it comes from",
             .arguments = {model, text_argument("task", "NAME", "product; all if not given")},
             .examples = {"cadenza threshold show --model line"}});
  table.add(
      {.name = "threshold set",
       .summary = "changes a product's threshold, to a value or to a share of false alarms",
       .description = "No image is needed: a share of false alarms is answered from the scores of "
                      "normals that were not learned.",
       .arguments = {model, text_argument("task", "NAME", "product").required(),
                     optional_argument(
                         real_option("value", 0, -1e300, 1e300, "score that an image must exceed"),
                         "SCORE"),
                     optional_argument(real_option("target_fpr", 0.05, 1e-6, 0.5,
                                                   "share of good parts that may be called defect"),
                                       "SHARE")},
       .examples = {"cadenza threshold set --model line --task bottle --target-fpr 0.01",
                    "cadenza threshold set --model line --task bottle --value 12.5"}});
}

}  // namespace cadenza
