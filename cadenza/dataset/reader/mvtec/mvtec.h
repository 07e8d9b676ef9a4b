#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "cadenza/dataset/folder_listing.h"
#include "cadenza/dataset/sample.h"

namespace cadenza {

/// The folders below `root` that are tasks: those that hold train/good, or `root` itself if it
/// does.
std::vector<std::filesystem::path> mvtec_tasks(const std::filesystem::path& root,
                                               std::vector<std::string>& notes);

/// Masks of one image of a defect folder; keeps what it saw for its notes.
using MaskFinder = std::function<std::vector<MaskFile>(const std::filesystem::path& image)>;

/// Adds a task's train/good, validation/good and test/<defect> images.
/// `find_masks(defect)` is asked once a defect folder.
void read_mvtec_task(const std::filesystem::path& task,
                     const std::function<MaskFinder(const std::string& defect)>& find_masks,
                     Dataset& dataset);

/// A folder's own name, also of "." and of one that ends with a slash.
std::string folder_name(const std::filesystem::path& folder);

}  // namespace cadenza
