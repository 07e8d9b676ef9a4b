#include "cadenza/inspector/image_list.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <system_error>

#include "cadenza/base/error.h"

namespace cadenza {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 7> kExtensions = {".png", ".jpg",  ".jpeg", ".bmp",
                                                         ".tif", ".tiff", ".webp"};

class Lister {
 public:
  void add(const fs::path& path) {
    std::error_code failure;
    const auto status = fs::status(path, failure);
    if (status.type() == fs::file_type::not_found) {
      throw Error(ErrorCode::kNotFound, cat(path.string(), ": no such file or folder"));
    }
    CADENZA_REQUIRE(!failure, ErrorCode::kIo, path.string(), ": ", failure.message());
    if (fs::is_directory(status)) {
      add_folder(path);
    } else {
      add_file(path);
    }
  }

  ImageList take() { return std::move(list_); }

 private:
  void add_file(const fs::path& file) {
    std::error_code unresolved;
    const fs::path real = fs::canonical(file, unresolved);
    if (!unresolved && !seen_.insert(real).second) {
      list_.notes.push_back(cat(file.string(), ": the same file as one before; taken once"));
      return;
    }
    list_.files.push_back(file);
  }

  void add_folder(const fs::path& folder) {
    std::error_code failure;
    const fs::path real = fs::canonical(folder, failure);
    CADENZA_REQUIRE(!failure, ErrorCode::kIo, folder.string(), ": ", failure.message());
    if (open_folders_.contains(real)) {
      list_.notes.push_back(cat(folder.string(), ": a link back to a folder above it; left out"));
      return;
    }
    open_folders_.insert(real);
    std::vector<fs::path> entries;
    for (const auto& entry : fs::directory_iterator(folder, failure))
      entries.push_back(entry.path());
    CADENZA_REQUIRE(!failure, ErrorCode::kIo, folder.string(), ": ", failure.message());
    std::ranges::sort(entries, {}, [](const fs::path& entry) { return entry.native(); });
    for (const auto& entry : entries) add_entry(entry);
    open_folders_.erase(real);
  }

  void add_entry(const fs::path& entry) {
    std::error_code unresolved;
    const auto status = fs::status(entry, unresolved);
    if (unresolved == std::errc::too_many_symbolic_link_levels) {
      list_.notes.push_back(cat(entry.string(), ": a link to itself; left out"));
    } else if (fs::is_directory(status)) {
      add_folder(entry);
    } else if (has_image_extension(entry)) {
      add_file(entry);
    } else {
      ++list_.n_skipped;
    }
  }

  ImageList list_;
  std::set<fs::path> seen_;
  std::set<fs::path> open_folders_;
};

}  // namespace

bool has_image_extension(const fs::path& file) {
  std::string extension = file.extension().string();
  std::ranges::transform(extension, extension.begin(), [](unsigned char letter) {
    return static_cast<char>(std::tolower(letter));
  });
  return std::ranges::count(kExtensions, extension) > 0;
}

ImageList list_images(std::span<const fs::path> paths) {
  Lister lister;
  for (const auto& path : paths) lister.add(path);
  return lister.take();
}

}  // namespace cadenza
