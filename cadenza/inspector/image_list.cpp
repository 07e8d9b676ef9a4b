#include "cadenza/inspector/image_list.h"

#include <algorithm>
#include <set>
#include <system_error>
#include <utility>

#include "cadenza/base/error.h"
#include "cadenza/image/decode.h"

namespace cadenza {

namespace fs = std::filesystem;

namespace {

class Lister {
 public:
  void add(const fs::path& path) {
    std::error_code failure;
    const auto status = fs::status(path, failure);
    if (status.type() == fs::file_type::not_found) {
      fail(path, ErrorCode::kNotFound, "no such file or folder");
    } else if (failure) {
      fail(path, ErrorCode::kIo, failure.message());
    } else if (fs::is_directory(status)) {
      add_folder(path);
    } else {
      add_file(path);
    }
  }

  ImageList take() { return std::move(list_); }

 private:
  void fail(const fs::path& path, ErrorCode code, const std::string& reason) {
    list_.failures.push_back({path, Error(code, cat(path.string(), ": ", reason))});
  }

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
    if (!failure && open_folders_.contains(real)) {
      list_.notes.push_back(cat(folder.string(), ": a link back to a folder above it; left out"));
      return;
    }
    std::vector<fs::path> entries;
    if (!failure) {
      for (auto entry = fs::directory_iterator(folder, failure);
           !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
        entries.push_back(entry->path());
      }
    }
    if (failure) return fail(folder, ErrorCode::kIo, failure.message());
    std::ranges::sort(entries, {}, [](const fs::path& entry) { return entry.native(); });
    open_folders_.insert(real);
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
    } else if (is_image_name(entry)) {
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

ImageList list_images(std::span<const fs::path> paths) {
  Lister lister;
  for (const auto& path : paths) lister.add(path);
  return lister.take();
}

}  // namespace cadenza
