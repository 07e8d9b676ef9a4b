#include "cadenza/cli/command.h"

namespace cadenza {

void describe_test(CommandTable& table) {
  table.add(
      {.name = "test",
       .summary = "metrics of a trained model on labelled images",
       .description =
           "Judges every image of the test split of the tasks that the model and the data both "
           "know. An image that cannot be read is reported and the others go on; the exit status "
           "is then 3. Nothing is written without --out, and never into the model directory.",
       .arguments =
           {text_argument("data", "ROOT",
                          "data set: a folder or a file that lists images; given several times "
                          "they are joined")
                .required()
                .repeated(),
            text_argument("model", "DIR", "model directory").required(),
            text_argument("layout", "NAME", "auto", "how the data lie: mvtec, visa, folder, ..."),
            text_argument("task", "NAME",
                          "the data show this product of the model, whatever their folder is "
                          "called"),
            text_argument("tasks", "LIST", "test these tasks alone: a,b,c"),
            flag_argument("known_task",
                          "tell the task of each image; an oracle, and marked as one"),
            argument(integer_option("pixel_size", 0, 0, 1 << 14,
                                    "pixel metrics on squares of so many pixels; 0: each image's "
                                    "own size"),
                     "N"),
            text_argument("out", "DIR",
                          "write results.json, predictions.jsonl, predictions.csv and what --save "
                          "names there"),
            text_argument("save", "LIST", "none",
                          "pictures to write: overlay, map (32-bit float TIFF), mask, none, or "
                          "several with commas")},
       .examples = {
           "cadenza test --data mvtec --model line",
           "cadenza test --data photos/checked --task bottle --model line --out checked"}});
}

}  // namespace cadenza
