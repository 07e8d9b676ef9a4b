#include "cadenza/cli/command.h"

namespace cadenza {

void describe_predict(CommandTable& table) {
  table.add(
      {.name = "predict",
       .summary = "tells for each image which product it shows and whether it is good",
       .description =
           "One line an image, in the order of the images: folders with all below, sorted by path. "
           "An image that cannot be read is reported and the others go on; the exit status is then "
           "3. Nothing is written without --out, and never into the model directory.",
       .arguments =
           {text_argument("path", "PATH", "images, or folders of images")
                .positional()
                .required()
                .repeated(),
            text_argument("model", "DIR", "model directory").required(),
            text_argument("task", "NAME",
                          "judge by this product alone; no image is then called unknown for being "
                          "another"),
            text_argument("out", "DIR",
                          "write predictions.jsonl, predictions.csv and what --save names there"),
            text_argument("save", "LIST", "none",
                          "pictures to write: overlay, map (32-bit float TIFF), mask, none, or "
                          "several with commas"),
            argument(
                choice_option("fail_on", "none", {"none", "defect", "unknown", "defect,unknown"},
                              "end with status 1 when such an image was there"),
                "LABEL")},
       .examples = {"cadenza predict photos/new --model line",
                    "cadenza predict photos/new --model line --out results --save overlay,map",
                    "cadenza predict part.jpg --model line --json --fail-on defect"}});
}

}  // namespace cadenza
