#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "cadenza/dataset/sample.h"

namespace cadenza {

/// What lies in one folder, each sorted byte-wise. Links are followed; one that leads back to a
/// folder above it, or nowhere, is a note.
struct FolderListing {
  std::vector<std::filesystem::path> folders;
  std::vector<std::filesystem::path> images;  ///< by extension
  std::vector<std::filesystem::path> others;  ///< files that are no images
};

/// Absent folders are empty. Errors: kIo naming the folder that cannot be read.
FolderListing list_folder(const std::filesystem::path& folder, std::vector<std::string>& notes);

/// A note on files that lie where a layout has none: "ROOT: 3 loose files ignored (a.txt, ...)".
void note_ignored(const std::filesystem::path& folder,
                  const std::vector<std::filesystem::path>& files, std::vector<std::string>& notes);

/// Masks of one folder by what they belong to: the file's stem, without a "_mask" at its end.
class MaskFolder {
 public:
  MaskFolder(const std::filesystem::path& folder, std::vector<std::string>& notes);

  bool empty() const noexcept { return masks_.empty(); }
  /// The mask of an image, by its stem; nothing if there is none.
  std::vector<MaskFile> take(const std::filesystem::path& image);
  /// Notes the masks that no image asked for.
  void note_unmatched(std::vector<std::string>& notes) const;

 private:
  std::filesystem::path folder_;
  std::map<std::string, std::filesystem::path> masks_;
  std::map<std::string, bool> is_taken_;
};

}  // namespace cadenza
