#include "cadenza/dataset/folder_listing.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "cadenza/base/error.h"
#include "cadenza/base/suggest.h"
#include "cadenza/image/decode.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;

/// True if `folder` is a link to a folder that it lies in.
bool leads_back(const fs::path& folder) {
  std::error_code failure;
  if (!fs::is_symlink(folder, failure)) return false;
  const auto target = fs::canonical(folder, failure);
  const auto parent = fs::canonical(fs::absolute(folder).parent_path(), failure);
  if (failure) return false;
  const auto [end_of_target, where] = std::ranges::mismatch(target, parent);
  return end_of_target == target.end();
}

std::string names_of(const std::vector<fs::path>& files) {
  constexpr std::size_t kMostListed = 5;
  std::vector<std::string> names;
  for (const auto& file : files) {
    if (names.size() == kMostListed) break;
    names.push_back(file.filename().string());
  }
  return cat(join(names, ", "), files.size() > kMostListed ? ", ..." : "");
}

}  // namespace

FolderListing list_folder(const fs::path& folder, std::vector<std::string>& notes) {
  FolderListing listing;
  std::error_code failure;
  if (!fs::is_directory(folder, failure)) return listing;
  std::vector<fs::path> entries;
  for (auto entry = fs::directory_iterator(folder, failure);
       !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
    entries.push_back(entry->path());
  }
  CADENZA_REQUIRE(!failure, ErrorCode::kIo, folder.string(), ": ", failure.message());
  std::ranges::sort(entries, {}, [](const fs::path& entry) { return entry.native(); });
  for (const auto& entry : entries) {
    const auto status = fs::status(entry, failure);
    if (failure) {
      notes.push_back(cat(entry.string(), ": a link that leads nowhere; left out"));
    } else if (fs::is_directory(status)) {
      if (leads_back(entry)) {
        notes.push_back(cat(entry.string(), ": a link back to a folder above it; left out"));
      } else if (!entry.filename().string().starts_with(".")) {
        listing.folders.push_back(entry);
      }
    } else {
      (is_image_name(entry) ? listing.images : listing.others).push_back(entry);
    }
  }
  return listing;
}

void note_ignored(const fs::path& folder, const std::vector<fs::path>& files,
                  std::vector<std::string>& notes) {
  if (files.empty()) return;
  notes.push_back(cat(folder.string(), ": ", files.size(), " loose file",
                      files.size() == 1 ? "" : "s", " ignored (", names_of(files), ")"));
}

MaskFolder::MaskFolder(const fs::path& folder, std::vector<std::string>& notes) : folder_(folder) {
  constexpr std::string_view kEnding = "_mask";
  for (const auto& file : list_folder(folder, notes).images) {
    auto stem = file.stem().string();
    if (stem.ends_with(kEnding)) stem.resize(stem.size() - kEnding.size());
    const auto [known, is_new] = masks_.emplace(stem, file);
    if (!is_new) {
      notes.push_back(
          cat(file.string(), ": a second mask beside ", known->second.string(), "; left out"));
    }
  }
}

std::vector<MaskFile> MaskFolder::take(const fs::path& image) {
  const auto found = masks_.find(image.stem().string());
  if (found == masks_.end()) return {};
  is_taken_[found->first] = true;
  return {{.path = found->second, .saturation_px = {}}};
}

void MaskFolder::note_unmatched(std::vector<std::string>& notes) const {
  for (const auto& [stem, file] : masks_) {
    if (!is_taken_.contains(stem)) {
      notes.push_back(cat(file.string(), ": a mask without an image; left out"));
    }
  }
}

}  // namespace cadenza
