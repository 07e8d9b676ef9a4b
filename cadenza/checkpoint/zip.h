#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cadenza {

// The parts of a ZIP archive that .pth and .npz files use: entries stored or deflated, ZIP64, a
// central directory at the end. APPNOTE.TXT 6.3.

/// Raising these costs memory on hostile files and nothing on honest ones.
struct ZipLimits {
  std::uint64_t n_entries = 1 << 16;
  std::uint64_t entry_bytes = std::uint64_t{1} << 34;  ///< unpacked
};

struct ZipEntry {
  std::string name;
  bool is_deflated = false;
  std::uint32_t crc = 0;
  std::uint64_t n_packed = 0, n_bytes = 0;
  std::uint64_t header_offset = 0;
};

/// What an entry holds: a part of the archive where it was stored, else a buffer.
struct ZipContent {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};

/// An archive in memory.
///
/// Errors   kCorruptData naming the archive, the entry and the lengths: no central directory, one
///          that contradicts itself, the local headers or the checksums, a name twice, a path that
///          leaves the archive. kUnsupported: encryption, several disks, other compressions.
///          kLimitExceeded. Nothing is allocated for a size before it was compared with the limits
///          and with what deflate can make of the packed bytes.
/// Threads  const members from any thread.
class ZipArchive {
 public:
  /// Borrows `bytes`, which `owner` keeps (null: the caller does).
  ZipArchive(std::span<const std::byte> bytes, std::string name, std::shared_ptr<const void> owner,
             ZipLimits limits = {});

  /// By name.
  const std::map<std::string, ZipEntry>& entries() const noexcept { return entries_; }
  /// Null if there is none.
  const ZipEntry* find(const std::string& name) const;
  /// Checks the CRC. Cost: reads the entry once.
  ZipContent read(const ZipEntry& entry) const;

 private:
  std::span<const std::byte> bytes_;
  std::string name_;
  std::shared_ptr<const void> owner_;
  std::map<std::string, ZipEntry> entries_;
};

/// True if the bytes begin as archives with entries do.
bool is_zip(std::span<const std::byte> bytes) noexcept;

/// An archive of stored entries with the clock at its zero (1980): equal entries give equal bytes.
/// Errors   kLimitExceeded: 4 GB or more, or more than 65,535 entries.
std::vector<std::byte> write_zip(const std::map<std::string, std::vector<std::byte>>& entries);

}  // namespace cadenza
