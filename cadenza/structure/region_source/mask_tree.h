#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "cadenza/structure/region_map.h"

namespace cadenza {

class MappedFile;
class ZipArchive;

/// Label maps in the shape of the data set they belong to: the map of `<root>/bottle/train/good/
/// 000.jpg` is `<tree>/bottle/train/good/000.jpg` (a PNG under the picture's own name, as the
/// authors of UCAD store them) or `.../000.png`. The tree is a folder or a ZIP archive of one.
///
/// Where the data set's root lies in a picture's path is not asked: the longest end of the path
/// that the tree has is taken, so a flat folder of maps serves a flat folder of pictures. An
/// archive's single top folder is looked through.
///
/// Threads  const members from any thread.
class MaskTree {
 public:
  /// Errors: kNotFound (neither a folder nor a file); those of ZipArchive.
  explicit MaskTree(const std::filesystem::path& folder_or_zip);
  ~MaskTree();
  MaskTree(const MaskTree&) = delete;
  MaskTree& operator=(const MaskTree&) = delete;

  /// Errors: kNotFound naming the picture and the first place looked at; those of
  /// decode_label_map() with the map's name.
  RegionMap find(const std::filesystem::path& picture) const;

 private:
  std::optional<std::string> place_of(const std::filesystem::path& picture) const;
  bool has(const std::string& name) const;

  std::filesystem::path root_;
  std::unique_ptr<MappedFile> file_;
  std::unique_ptr<ZipArchive> archive_;
  std::string top_;  ///< of the archive: "mvtec2d-sam-b/" or empty
};

}  // namespace cadenza
