#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "cadenza/dataset/sample.h"

namespace cadenza {

/// A list of images in the format of some program, and what that program calls the file.
struct ListFile {
  std::string name;
  std::string text;
  std::int64_t n_images = 0;
};

/// The list files that programs of the field read. Paths in them start from `relative_to`. Images
/// of validation stand with those to learn in "uniad" and "inctrl", which know no such split.
///
/// "uniad"  train.json and test.json, and train_TASK.json and test_TASK.json of each task: an
///          object a line with filename, label, label_name, clsname and, for defects, maskname.
/// "inctrl" of each task TASK_normal.json (all normals), TASK_outlier.json (all defects),
///          TASK_val_normal.json and TASK_val_outlier.json (those to test): an array of objects
///          with image_path, target and type.
/// "csv"    images.csv with file, split, label, task, defect_type and mask.
///
/// Errors   kNotFound: no such format; lists them. kUnsupported: an image with several masks in
///          "uniad", which knows one, or a name that "csv" cannot hold; each says what to do.
std::vector<ListFile> make_list_files(const Dataset& dataset, std::string_view format,
                                      const std::filesystem::path& relative_to);

/// "csv", "inctrl", "uniad".
const std::vector<std::string>& list_formats();

}  // namespace cadenza
