#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace cadenza {

inline constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};

/// The whole file. Errors: kNotFound, kIo (unreadable, a folder), kLimitExceeded (checked before
/// anything is allocated); each names the path.
std::vector<std::byte> read_file(const std::filesystem::path& path,
                                 std::uint64_t limit_bytes = kNoLimit);

/// A read-only mapping of a whole file, kept while the object lives. Errors as read_file().
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  std::span<const std::byte> bytes() const noexcept { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

/// Replaces `path` in one step: writes `path`.tmp, fsyncs it, renames it, fsyncs the folder. A
/// crash at any instant leaves the old or the new content, whole. Errors: kIo naming the path and
/// the system's reason (disk full, read-only); the old content is then untouched and no .tmp
/// remains.
void write_file_atomic(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_file_atomic(const std::filesystem::path& path, std::string_view text);

/// Writes `path` as it comes, without waiting for the disk: for what can be made again (pictures).
/// An error may leave a part of it. Errors: kNotFound (no such folder), kIo naming the path and the
/// system's reason.
void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes);

/// Makes earlier creations and renames inside `folder` durable.
void sync_folder(const std::filesystem::path& folder);

/// Where the code of this library lies: libcadenza.so, or the program it is linked into.
std::filesystem::path this_library();

/// An exclusive advisory lock (flock) on a file that is created if absent; the kernel frees it when
/// the process ends, however it ends.
class FileLock {
 public:
  /// Nothing if another process or object holds it. Errors: kIo (the file cannot be created).
  static std::optional<FileLock> try_acquire(const std::filesystem::path& path);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace cadenza
