#include "cadenza/cli/command.h"

namespace cadenza {

namespace {

Argument layout_argument() {
  return text_argument("layout", "NAME", "auto",
                       "how the data lie: mvtec, loco, visa, jsonl, inctrl, csv, folder");
}

Argument root_argument() {
  return text_argument("data", "ROOT", "a data set: a folder, or a file that lists images")
      .positional()
      .required();
}

}  // namespace

void describe_data(CommandTable& table) {
  table.add(
      {.name = "data check",
       .summary = "looks at every image and mask of a data set before anything is learned from it",
       .description =
           "Prints images by task, split and label, with masks or why there are none; then by "
           "name: masks without an image, masks of another size, files that cannot be read, and "
           "pictures that are both among those to learn and those to test (compared by content). "
           "Ends with 3 where training or figures would suffer.",
       .arguments = {root_argument().repeated(), layout_argument()},
       .examples = {"cadenza data check mvtec/", "cadenza data check visa/ --layout visa --json"}});
  table.add(
      {.name = "data convert",
       .summary = "writes a data set as MVTec AD lies",
       .description =
           "TASK/train/good, TASK/test/LABEL, TASK/ground_truth/LABEL. Images keep their bytes; "
           "masks become 0 and 255, several of one image become one.",
       .arguments = {root_argument(), layout_argument(),
                     text_argument("out", "DIR", "an empty or new folder").required(),
                     argument(choice_option("files", "copy", {"copy", "link"},
                                            "copy images, or link to them"),
                              "HOW")},
       .examples = {"cadenza data convert visa/ --out visa_mvtec --files link"}});
  table.add(
      {.name = "data lists",
       .summary = "writes list files of a data set that other programs read",
       .description =
           "uniad: train.json, test.json and the same for each task (UniAD, IUF). inctrl: "
           "TASK_normal.json, TASK_outlier.json, TASK_val_normal.json and TASK_val_outlier.json. "
           "csv: images.csv.",
       .arguments = {root_argument(), layout_argument(),
                     argument(choice_option("format", "uniad", {"csv", "inctrl", "uniad"},
                                            "which program's lists"),
                              "NAME"),
                     text_argument("relative_to", "DIR",
                                   "the folder that paths in the lists start from; default: --out"),
                     text_argument("out", "DIR", "where the lists go").required()},
       .examples = {"cadenza data lists mvtec/ --format uniad --out lists"}});
  table.add(
      {.name = "data fewshot",
       .summary = "draws a few normals of each task, as photographs or as InCTRL's prompt files",
       .description = "Writes DIR/K/TASK/ (format images), or DIR/K/TASK.pt (format pt: K tensors "
                      "of 3x240x240, "
                      "prepared for CLIP), and DIR/K/drawn.json, which names the images and the "
                      "seed. The draw "
                      "of 2 begins that of 4.",
       .arguments =
           {root_argument(), layout_argument(),
            text_argument("shots", "K", "how many; several K make several sets")
                .required()
                .repeated(),
            argument(integer_option("seed", 0, 0, INT64_MAX, "of the draw"), "N"),
            argument(choice_option("format", "images", {"images", "pt"}, "what is written"),
                     "NAME"),
            text_argument("out", "DIR", "where the sets go; DIR/K must be new").required()},
       .examples = {"cadenza data fewshot visa/ --shots 2 4 8 --out fs_samples/visa",
                    "cadenza data fewshot visa/ --shots 2 --format pt --out fs_samples/visa"}});
  table.add(
      {.name = "data masks",
       .summary = "divides the images of a data set into regions, for methods that learn from them",
       .description =
           "Writes a label map of each image to the same place below DIR; train and benchmark take "
           "them with --masks DIR. Maps that are there stay: a stopped run goes on where it was. "
           "Options of a method: --set, see below.",
       .arguments =
           {root_argument(), layout_argument(),
            argument(choice_option("method", "felzenszwalb", {"sam", "slic", "felzenszwalb"},
                                   "sam needs its weights (`cadenza weights list`)"),
                     "NAME"),
            argument(choice_option("split", "train", {"train", "all"}, "which images"), "NAME"),
            flag_argument("compat",
                          "8-bit maps under the images' own names, ids above 255 as 255, as UCAD's "
                          "authors store them"),
            text_argument("set", "KEY=VALUE",
                          "felzenszwalb: scale, sigma, min_size; slic: n_segments, compactness, "
                          "max_num_iter; sam: network, points_per_side, ...")
                .repeated(),
            text_argument("out", "DIR", "where the maps go").required()},
       .examples = {"cadenza data masks mvtec/ --method slic --set n_segments=200 --out maps",
                    "cadenza data masks mvtec2d/ --method sam --compat --out mvtec2d-sam-b"}});
}

}  // namespace cadenza
