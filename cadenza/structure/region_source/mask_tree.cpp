#include "cadenza/structure/region_source/mask_tree.h"

#include <vector>

#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/checkpoint/zip.h"
#include "cadenza/structure/mask/label_map_file.h"

namespace cadenza {

namespace fs = std::filesystem;

namespace {

/// The folder all entries lie in, with its slash; empty if there is no such one.
std::string common_top(const ZipArchive& archive) {
  std::string top;
  for (const auto& [name, entry] : archive.entries()) {
    const auto slash = name.find('/');
    if (slash == std::string::npos) return {};
    const auto first = name.substr(0, slash + 1);
    if (!top.empty() && first != top) return {};
    top = first;
  }
  return top;
}

}  // namespace

MaskTree::MaskTree(const fs::path& folder_or_zip) : root_(folder_or_zip) {
  if (fs::is_directory(root_)) return;
  CADENZA_REQUIRE(fs::exists(root_), ErrorCode::kNotFound, root_.string(),
                  ": no such folder or ZIP archive of region maps; `cadenza data masks` makes one");
  file_ = std::make_unique<MappedFile>(root_);
  archive_ = std::make_unique<ZipArchive>(file_->bytes(), root_.string(), nullptr);
  top_ = common_top(*archive_);
}

MaskTree::~MaskTree() = default;

bool MaskTree::has(const std::string& name) const {
  return archive_ ? archive_->find(name) != nullptr : fs::is_regular_file(root_ / name);
}

std::optional<std::string> MaskTree::place_of(const fs::path& picture) const {
  const auto full = picture.lexically_normal().relative_path();
  std::vector<fs::path> parts(full.begin(), full.end());
  for (std::size_t first = 0; first < parts.size(); ++first) {
    fs::path end;
    for (auto part = first; part < parts.size(); ++part) end /= parts[part];
    // "../x" would leave the tree.
    if (parts[first] == "..") continue;
    for (const auto& name : {fs::path(end).replace_extension(".png"), end}) {
      for (const auto& top : {std::string(), top_}) {
        const auto place = top + name.generic_string();
        if (has(place)) return place;
      }
    }
  }
  return std::nullopt;
}

RegionMap MaskTree::find(const fs::path& picture) const {
  const auto place = place_of(picture);
  CADENZA_REQUIRE(place, ErrorCode::kNotFound, picture.string(), ": no region map of it in ",
                  root_.string(), ", expected for instance ",
                  (picture.parent_path().filename() / picture.filename())
                      .replace_extension(".png")
                      .generic_string(),
                  "; `cadenza data masks` makes what is missing");
  if (!archive_) {
    const auto path = root_ / *place;
    return decode_label_map(read_file(path), path.string());
  }
  const auto content = archive_->read(*archive_->find(*place));
  return decode_label_map(content.bytes, cat(root_.string(), ": ", *place));
}

}  // namespace cadenza
