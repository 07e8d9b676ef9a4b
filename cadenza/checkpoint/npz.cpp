#include "cadenza/checkpoint/npz.h"

#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/checkpoint/zip.h"

namespace cadenza {

namespace {
constexpr std::string_view kExtension = ".npy";
}

NpzArrays read_npz(const std::filesystem::path& path) {
  const auto file = std::make_shared<MappedFile>(path);
  return read_npz(file->bytes(), path.string(), file);
}

NpzArrays read_npz(std::span<const std::byte> bytes, std::string_view name,
                   std::shared_ptr<const void> owner) {
  const ZipArchive archive(bytes, std::string(name), std::move(owner));
  NpzArrays arrays;
  for (const auto& [entry_name, entry] : archive.entries()) {
    CADENZA_REQUIRE(entry_name.ends_with(kExtension), ErrorCode::kCorruptData, name, ": entry '",
                    entry_name, "' is no ", kExtension, " array");
    const auto content = archive.read(entry);
    arrays.emplace(entry_name.substr(0, entry_name.size() - kExtension.size()),
                   read_npy(content.bytes, cat(name, ": '", entry_name, "'"), content.owner));
  }
  return arrays;
}

std::vector<std::byte> write_npz(const NpzArrays& arrays) {
  std::map<std::string, std::vector<std::byte>> entries;
  for (const auto& [name, array] : arrays) {
    entries.emplace(cat(name, kExtension), write_npy(array));
  }
  return write_zip(entries);
}

}  // namespace cadenza
