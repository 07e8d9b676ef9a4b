#include "cadenza/cli/command.h"

namespace cadenza {

void describe_train(CommandTable& table) {
  table.add(
      {.name = "train",
       .summary = "teaches a model one more product from photographs of good parts",
       .description = "Creates the model directory if it is not there. What the model has learned "
                      "before stays "
                      "as it is. When this fails or is stopped (Ctrl-C), the model is unchanged.",
       .arguments =
           {text_argument("task", "NAME", "what the product is called in this model").required(),
            text_argument("normal", "PATH", "images of good parts, or folders of them")
                .required()
                .repeated(),
            text_argument("model", "DIR", "model directory").required(),
            text_argument("method", "NAME",
                          "method of a new model (`cadenza methods`); default: routed_memory, or "
                          "that of the model"),
            argument(real_option("target_fpr", 0.05, 1e-6, 0.5,
                                 "share of good parts that may be called defect"),
                     "SHARE"),
            text_argument("masks", "DIR|ZIP",
                          "label maps of the images (`cadenza data masks`), for methods that learn "
                          "from regions; default: made from the images"),
            argument(integer_option("seed", 0, 0, INT64_MAX, "of all random choices"), "N"),
            text_argument("set", "KEY=VALUE", "an option of the method of a new model").repeated()},
       .examples = {"cadenza train --task bottle --normal photos/bottle --model line",
                    "cadenza train --task cable --normal a.png b.png --model line "
                    "--target-fpr 0.01"}});
}

}  // namespace cadenza
