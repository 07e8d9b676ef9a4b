#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "cadenza/base/progress.h"
#include "cadenza/dataset/sample.h"

namespace cadenza {

enum class FindingKind {
  kUnreadableImage,
  kUnreadableMask,
  kMaskSize,            ///< a mask of another size than its image
  kTrainTestDuplicate,  ///< one picture among the images to learn and among those to test
  kLabelConflict,       ///< one picture as a normal and as a defect
  kDuplicate,           ///< one picture twice on one side
  kMissingMask,         ///< a defect without a mask where others of its kind have one
  kEmptyMask,           ///< a defect's mask that marks nothing
};

/// "unreadable-image", "train-test-duplicate" and so on: part of the output of `data check`.
std::string_view to_string(FindingKind kind) noexcept;

/// Whether training or figures suffer: the first five. The others are worth knowing.
bool is_problem(FindingKind kind) noexcept;

struct Finding {
  FindingKind kind;
  std::vector<std::filesystem::path> files;  ///< the image or mask; all copies of a duplicate
  std::string message;                       ///< names the first file
};

/// The images of one task, split and label (defect type).
struct CheckRow {
  std::string task;
  Split split = Split::kTrain;
  std::string label;
  bool is_defect = false;
  std::int64_t n_images = 0;
  std::int64_t n_masked = 0;  ///< with masks that can be read, fit and mark something
  std::int64_t least_width_px = 0, least_height_px = 0;  ///< of the images that can be read
  std::int64_t most_width_px = 0, most_height_px = 0;
  std::vector<std::string> reasons;  ///< why images have no usable mask, with their numbers
};

struct DatasetCheck {
  std::vector<CheckRow> rows;  ///< by task, split, label
  std::vector<Finding> findings;
  std::int64_t n_images = 0;

  std::int64_t n_problems() const;
};

/// Decodes every image and mask of a data set and compares all with all by what they show: the
/// decoded pixels, so that a copy under another name or in another lossless format is found.
///
/// Errors   kCancelled. What is wrong with a file is a finding.
/// Cost     one decoding a file, several at a time; 32 bytes kept an image.
DatasetCheck check_dataset(const Dataset& dataset, Progress& progress = no_progress(),
                           std::stop_token stop = {});

/// "train", "validation", "test".
std::string_view to_string(Split split) noexcept;

}  // namespace cadenza
