#include "cadenza/cli/command.h"

namespace cadenza {

void describe_benchmark(CommandTable& table) {
  table.add(
      {.name = "benchmark",
       .summary =
           "a whole continual run on labelled data: learn step by step, test after each step",
       .description =
           "Writes matrices, forgetting, routing, calibration, time, memory and a report into the "
           "run folder. A run that was stopped (Ctrl-C) goes on where it stood when the same "
           "command is given again. Training sees normals of the train split and no test image, "
           "unless --mode paper asks for what the authors did; then every table says so.",
       .arguments =
           {text_argument("data", "ROOT",
                          "data set: a folder or a file that lists images; given several times "
                          "they are joined")
                .required()
                .repeated(),
            text_argument("out", "DIR", "run folder").required(),
            text_argument("method", "NAME", "routed_memory", "`cadenza methods` lists them"),
            text_argument("set", "KEY=VALUE",
                          "an option of the method, or STRATEGY.KEY=VALUE of a strategy")
                .repeated(),
            text_argument("strategy", "NAME",
                          "against forgetting, for methods that share parameters (`cadenza "
                          "strategies`); several with commas or `all` are compared"),
            text_argument("protocol", "P", "1xN",
                          "how tasks are cut into steps: KxT, X-Y, joint or a name (`cadenza "
                          "protocols`)"),
            text_argument("order", "LIST",
                          "tasks as they are learned: a,b,c or seed:K or file:PATH; default: "
                          "sorted byte-wise"),
            text_argument("tasks", "LIST", "use these tasks of the data alone: a,b,c"),
            text_argument("layout", "NAME", "auto", "how the data lie: mvtec, visa, folder, ..."),
            text_argument("seeds", "LIST", "0", "one run a seed: 0,1,2"),
            argument(
                integer_option("shots", 0, 0, 1 << 20, "normals a task, drawn by the seed; 0: all"),
                "N"),
            argument(choice_option("mode", "honest", {"honest", "paper"},
                                   "paper: the epoch is chosen on test images, as the authors did"),
                     "MODE"),
            flag_argument("known_task",
                          "tell the task at test; an oracle, and marked as one wherever it stands"),
            flag_argument("zero_shot", "after each step test the tasks that are still to come too"),
            flag_argument("hold_back",
                          "keep every fifth normal for the threshold where the method sets none"),
            argument(real_option("target_fpr", 0.05, 1e-6, 0.5,
                                 "share of good parts that may be called defect"),
                     "SHARE"),
            argument(integer_option("pixel_size", 0, 0, 1 << 14,
                                    "pixel metrics on squares of so many pixels; 0: each image's "
                                    "own size"),
                     "N"),
            text_argument("masks", "DIR|ZIP",
                          "label maps of the training images (`cadenza data masks`), for methods "
                          "that learn from regions; default: made from the images"),
            flag_argument("evaluate_only",
                          "train nothing: test the steps of an earlier run again, where wanted "
                          "with another --pixel-size, --known-task or --zero-shot"),
            text_argument("save", "LIST", "none",
                          "pictures of the test images after the last step: overlay, map, mask, "
                          "none, or several with commas")},
       .examples = {"cadenza benchmark --data mvtec --out runs/routed_memory",
                    "cadenza benchmark --method ucad --data mvtec --masks masks.zip "
                    "--seeds 0,1,2 --out runs/ucad",
                    "cadenza benchmark --method dne --strategy all --data mvtec --out runs/dne"}});
}

}  // namespace cadenza
