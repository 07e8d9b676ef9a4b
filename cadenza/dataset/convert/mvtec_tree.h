#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "cadenza/base/progress.h"
#include "cadenza/dataset/sample.h"

namespace cadenza {

/// How an image comes into the new tree.
enum class Transfer { kCopy, kLink };

struct ConvertReport {
  std::int64_t n_images = 0, n_masks = 0;
  std::vector<std::string> notes;  ///< what was renamed or left out, and why
};

/// Writes a data set as MVTec AD lies: TASK/train/good, TASK/validation/good, TASK/test/LABEL and
/// TASK/ground_truth/LABEL/STEM_mask.png. Image files keep their bytes and names; of two with one
/// stem in a folder the later gets "-2" and so on. Several masks of an image become one: 255 where
/// any of them is above 0. kLink makes symbolic links to the images; masks are always written.
///
/// Defects that are no test images have no place in this layout: they are left out with a note.
///
/// Errors   kInvalidArgument: `out` is not empty, a task or label that is no folder name.
///          kCorruptData: a mask of another size than its image. kIo. kCancelled. What was written
///          until then stays.
ConvertReport write_mvtec_tree(const Dataset& dataset, const std::filesystem::path& out,
                               Transfer transfer, Progress& progress = no_progress(),
                               std::stop_token stop = {});

/// Makes `out` and what lies above it. Errors: kInvalidArgument if it is there and not empty; kIo.
void make_new_folder(const std::filesystem::path& out);

/// Copies a file's bytes, or links to it. Errors: kIo naming both.
void transfer_file(const std::filesystem::path& from, const std::filesystem::path& to,
                   Transfer transfer);

}  // namespace cadenza
