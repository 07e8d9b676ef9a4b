#include "cadenza/checkpoint/zip.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include <zlib.h>

#include "cadenza/base/bytes.h"
#include "cadenza/base/error.h"

namespace cadenza {

namespace {

constexpr std::uint32_t kLocalSignature = 0x04034b50, kCentralSignature = 0x02014b50,
                        kEndSignature = 0x06054b50, kEnd64Signature = 0x06064b50,
                        kLocator64Signature = 0x07064b50;
constexpr std::uint64_t kEndBytes = 22, kLocator64Bytes = 20, kLocalBytes = 30;
constexpr std::uint16_t kIn64 = 0xFFFF;
constexpr std::uint32_t kIn64Long = 0xFFFFFFFF;

struct Directory {
  std::uint64_t n_entries, n_bytes, offset;
};

/// Where the end record begins: searched from the back, since a comment may follow it.
std::uint64_t find_end(std::span<const std::byte> bytes, const std::string& name) {
  constexpr std::uint64_t kMaxComment = 0xFFFF;
  const std::uint64_t size = bytes.size();
  for (std::uint64_t back = kEndBytes; back <= std::min(size, kEndBytes + kMaxComment); ++back) {
    ByteReader reader(bytes.subspan(size - back), name);
    if (reader.u32() != kEndSignature) continue;
    reader.seek(20);
    if (reader.u16() == back - kEndBytes) return size - back;
  }
  throw Error(ErrorCode::kCorruptData,
              cat(name, ": no zip directory at the end; the file is cut short or no zip archive"));
}

Directory read_directory64(std::span<const std::byte> bytes, std::uint64_t end,
                           const std::string& name) {
  CADENZA_REQUIRE(end >= kLocator64Bytes, ErrorCode::kCorruptData, name,
                  ": no ZIP64 locator before the end record");
  ByteReader reader(bytes, name);
  reader.seek(end - kLocator64Bytes);
  CADENZA_REQUIRE(reader.u32() == kLocator64Signature, ErrorCode::kCorruptData, name,
                  ": no ZIP64 locator before the end record");
  CADENZA_REQUIRE(reader.u32() == 0, ErrorCode::kUnsupported, name, ": spans several disks");
  reader.seek(reader.u64());
  CADENZA_REQUIRE(reader.u32() == kEnd64Signature, ErrorCode::kCorruptData, name,
                  ": no ZIP64 end record where the locator says");
  reader.skip(8 + 2 + 2);  // its size, versions
  CADENZA_REQUIRE(reader.u32() == 0 && reader.u32() == 0, ErrorCode::kUnsupported, name,
                  ": spans several disks");
  const auto n_here = reader.u64(), n_entries = reader.u64();
  CADENZA_REQUIRE(n_here == n_entries, ErrorCode::kUnsupported, name, ": spans several disks");
  const auto n_bytes = reader.u64();
  return {n_entries, n_bytes, reader.u64()};
}

Directory read_end(std::span<const std::byte> bytes, const std::string& name) {
  const auto end = find_end(bytes, name);
  ByteReader reader(bytes, name);
  reader.seek(end + 4);
  const auto disk = reader.u16(), first_disk = reader.u16();
  const auto n_here = reader.u16(), n_entries = reader.u16();
  const auto n_bytes = reader.u32(), offset = reader.u32();
  if (n_entries == kIn64 || n_bytes == kIn64Long || offset == kIn64Long) {
    return read_directory64(bytes, end, name);
  }
  CADENZA_REQUIRE(disk == 0 && first_disk == 0 && n_here == n_entries, ErrorCode::kUnsupported,
                  name, ": spans several disks");
  return {n_entries, n_bytes, offset};
}

/// Sizes that do not fit 32 bits stand in the extra field of id 1, in this order, each only if it
/// is needed.
void read_extra64(std::span<const std::byte> extra, const std::string& where, ZipEntry& entry) {
  constexpr std::uint16_t kZip64Id = 1;
  ByteReader reader(extra, where + ": extra field");
  while (reader.remaining() >= 4) {
    const auto id = reader.u16();
    ByteReader field(reader.take(reader.u16()), reader.name());
    if (id != kZip64Id) continue;
    for (auto* value : {&entry.n_bytes, &entry.n_packed, &entry.header_offset}) {
      if (*value == kIn64Long) *value = field.u64();
    }
    return;
  }
}

/// A name that a program might take for a path outside the archive is refused.
bool is_inside(std::string_view name) {
  if (name.empty() || name[0] == '/' || name.find('\0') != name.npos) return false;
  return name != ".." && !name.starts_with("../") && name.find("/../") == name.npos &&
         !name.ends_with("/..");
}

ZipEntry read_central(ByteReader& reader, const std::string& name) {
  constexpr std::uint16_t kEncrypted = 1, kStored = 0, kDeflated = 8;
  CADENZA_REQUIRE(reader.u32() == kCentralSignature, ErrorCode::kCorruptData, name,
                  ": the directory holds something else at offset ", reader.position() - 4);
  ZipEntry entry;
  reader.skip(4);  // versions
  const auto flags = reader.u16(), method = reader.u16();
  reader.skip(4);  // time and date
  entry.crc = reader.u32();
  entry.n_packed = reader.u32();
  entry.n_bytes = reader.u32();
  const auto n_name = reader.u16(), n_extra = reader.u16(), n_comment = reader.u16();
  reader.skip(2 + 2 + 4);  // disk, attributes
  entry.header_offset = reader.u32();
  entry.name = reader.take_text(n_name);
  const auto where = cat(name, ": entry '", entry.name, "'");
  read_extra64(reader.take(n_extra), where, entry);
  reader.skip(n_comment);
  CADENZA_REQUIRE(is_inside(entry.name), ErrorCode::kCorruptData, where,
                  ": a path that leaves the archive");
  CADENZA_REQUIRE((flags & kEncrypted) == 0, ErrorCode::kUnsupported, where, ": is encrypted");
  CADENZA_REQUIRE(method == kStored || method == kDeflated, ErrorCode::kUnsupported, where,
                  ": compression ", method, "; stored (0) and deflated (8) are read");
  entry.is_deflated = method == kDeflated;
  return entry;
}

void require_sizes(const ZipEntry& entry, const std::string& where, const ZipLimits& limits) {
  // Deflate cannot do better than 258 bytes for 2 bits; the constant pays for tiny entries.
  constexpr std::uint64_t kBestRatio = 1032, kSlack = 64;
  CADENZA_REQUIRE(entry.n_bytes <= limits.entry_bytes, ErrorCode::kLimitExceeded, where, ": ",
                  entry.n_bytes, " bytes, at most ", limits.entry_bytes, " are read");
  const bool fits = entry.is_deflated ? entry.n_bytes <= entry.n_packed * kBestRatio + kSlack
                                      : entry.n_bytes == entry.n_packed;
  CADENZA_REQUIRE(fits, ErrorCode::kCorruptData, where, ": ", entry.n_bytes, " bytes cannot be ",
                  entry.is_deflated ? "deflated" : "stored", " in ", entry.n_packed);
}

std::vector<std::byte> inflate_entry(std::span<const std::byte> packed, std::uint64_t n_bytes,
                                     const std::string& where) {
  constexpr int kRawDeflate = -15;
  constexpr std::uint64_t kMaxStep = std::numeric_limits<uInt>::max();
  std::vector<std::byte> bytes(n_bytes);
  z_stream stream{};
  CADENZA_REQUIRE(inflateInit2(&stream, kRawDeflate) == Z_OK, ErrorCode::kLimitExceeded, where,
                  ": no memory to unpack it");
  std::uint64_t n_in = 0, n_out = 0;
  std::byte overflow{};
  int status = Z_OK;
  while (status == Z_OK) {
    const auto step_in = std::min(packed.size() - n_in, kMaxStep);
    const auto step_out = std::min(bytes.size() - n_out, kMaxStep);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data() + n_in));
    stream.avail_in = static_cast<uInt>(step_in);
    stream.next_out = reinterpret_cast<Bytef*>(step_out > 0 ? bytes.data() + n_out : &overflow);
    stream.avail_out = static_cast<uInt>(std::max<std::uint64_t>(step_out, 1));
    const auto room = stream.avail_out;
    status = inflate(&stream, Z_NO_FLUSH);
    const std::uint64_t n_read = step_in - stream.avail_in;
    const std::uint64_t n_written = room - stream.avail_out;
    n_in += n_read;
    n_out += n_written;
    if (n_out > bytes.size() || (n_read == 0 && n_written == 0)) break;
  }
  inflateEnd(&stream);
  CADENZA_REQUIRE(status == Z_STREAM_END && n_out == bytes.size(), ErrorCode::kCorruptData, where,
                  ": unpacks to ", n_out > bytes.size() ? "more than " : "",
                  std::min(n_out, n_bytes), " of ", n_bytes, " bytes");
  return bytes;
}

std::uint32_t crc_of(std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace

ZipArchive::ZipArchive(std::span<const std::byte> bytes, std::string name,
                       std::shared_ptr<const void> owner, ZipLimits limits)
    : bytes_(bytes), name_(std::move(name)), owner_(std::move(owner)) {
  const auto directory = read_end(bytes_, name_);
  CADENZA_REQUIRE(directory.n_entries <= limits.n_entries, ErrorCode::kLimitExceeded, name_, ": ",
                  directory.n_entries, " entries, at most ", limits.n_entries, " are read");
  ByteReader whole(bytes_, name_);
  whole.seek(directory.offset);
  ByteReader reader(whole.take(directory.n_bytes), name_ + ": directory");
  std::uint64_t n_packed = 0;
  for (std::uint64_t index = 0; index < directory.n_entries; ++index) {
    auto entry = read_central(reader, name_);
    const auto where = cat(name_, ": entry '", entry.name, "'");
    require_sizes(entry, where, limits);
    // Entries that share bytes would let a small file unpack to a huge sum.
    CADENZA_REQUIRE(entry.n_packed <= bytes_.size() - n_packed, ErrorCode::kCorruptData, where,
                    ": the entries together are larger than the archive");
    n_packed += entry.n_packed;
    const std::string key = entry.name;
    CADENZA_REQUIRE(entries_.emplace(key, std::move(entry)).second, ErrorCode::kCorruptData, where,
                    ": stands twice in the directory");
  }
}

const ZipEntry* ZipArchive::find(const std::string& name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second;
}

ZipContent ZipArchive::read(const ZipEntry& entry) const {
  const auto where = cat(name_, ": entry '", entry.name, "'");
  ByteReader reader(bytes_, where);
  reader.seek(entry.header_offset);
  CADENZA_REQUIRE(reader.u32() == kLocalSignature, ErrorCode::kCorruptData, where,
                  ": no local header at offset ", entry.header_offset);
  reader.seek(entry.header_offset + kLocalBytes - 4);
  const auto n_name = reader.u16(), n_extra = reader.u16();
  const auto local_name = reader.take_text(n_name);
  CADENZA_REQUIRE(local_name == entry.name, ErrorCode::kCorruptData, where,
                  ": its local header calls it '", local_name, "'");
  reader.skip(n_extra);
  const auto packed = reader.take(entry.n_packed);
  ZipContent content{packed, owner_};
  if (entry.is_deflated) {
    const auto buffer =
        std::make_shared<const std::vector<std::byte>>(inflate_entry(packed, entry.n_bytes, where));
    content = {*buffer, buffer};
  }
  CADENZA_REQUIRE(crc_of(content.bytes) == entry.crc, ErrorCode::kCorruptData, where,
                  ": checksum differs; the file is damaged");
  return content;
}

bool is_zip(std::span<const std::byte> bytes) noexcept {
  constexpr char kStart[] = {'P', 'K', 3, 4};
  return bytes.size() >= sizeof kStart && std::memcmp(bytes.data(), kStart, sizeof kStart) == 0;
}

namespace {

class Writer {
 public:
  template <class Integer>
  void number(Integer value) {
    append(std::as_bytes(std::span(&value, 1)));
  }
  void append(std::span<const std::byte> part) {
    bytes.insert(bytes.end(), part.begin(), part.end());
  }
  std::vector<std::byte> bytes;
};

/// What the local header and the directory say of an entry, in the same order.
void write_facts(Writer& writer, const std::string& name, std::span<const std::byte> content) {
  constexpr std::uint16_t kVersion = 20, kUtf8Name = 1 << 11, kStored = 0, kMidnight = 0,
                          kFirstOf1980 = 1 << 5 | 1;
  writer.number(kVersion);
  writer.number(kUtf8Name);
  writer.number(kStored);
  writer.number(kMidnight);
  writer.number(kFirstOf1980);
  writer.number(crc_of(content));
  writer.number(static_cast<std::uint32_t>(content.size()));
  writer.number(static_cast<std::uint32_t>(content.size()));
  writer.number(static_cast<std::uint16_t>(name.size()));
  writer.number(std::uint16_t{0});  // extra field
}

}  // namespace

std::vector<std::byte> write_zip(const std::map<std::string, std::vector<std::byte>>& entries) {
  std::uint64_t total = kEndBytes;
  for (const auto& [name, content] : entries) total += content.size() + 2 * name.size() + 128;
  CADENZA_REQUIRE(total < kIn64Long && entries.size() < kIn64, ErrorCode::kLimitExceeded,
                  "an archive of ", entries.size(), " entries and ", total,
                  " bytes; zip files below 4 GB are written, larger ones as .safetensors");
  Writer writer, directory;
  writer.bytes.reserve(total);
  for (const auto& [name, content] : entries) {
    const auto offset = static_cast<std::uint32_t>(writer.bytes.size());
    const auto name_bytes = std::as_bytes(std::span(name));
    writer.number(kLocalSignature);
    write_facts(writer, name, content);
    writer.append(name_bytes);
    writer.append(content);
    directory.number(kCentralSignature);
    directory.number(std::uint16_t{20});  // made by: MS-DOS, version 2.0
    write_facts(directory, name, content);
    directory.append(std::vector<std::byte>(2 + 2 + 2 + 4));  // comment, disk, attributes
    directory.number(offset);
    directory.append(name_bytes);
  }
  const auto n_entries = static_cast<std::uint16_t>(entries.size());
  const auto offset = static_cast<std::uint32_t>(writer.bytes.size());
  writer.append(directory.bytes);
  writer.number(kEndSignature);
  writer.number(std::uint32_t{0});  // disks
  writer.number(n_entries);
  writer.number(n_entries);
  writer.number(static_cast<std::uint32_t>(directory.bytes.size()));
  writer.number(offset);
  writer.number(std::uint16_t{0});  // comment
  return writer.bytes;
}

}  // namespace cadenza
