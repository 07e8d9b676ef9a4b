#include "cadenza/checkpoint/torch_pth.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <optional>
#include <utility>

#include "cadenza/base/bytes.h"
#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/checkpoint/layout.h"
#include "cadenza/checkpoint/unpickle.h"
#include "cadenza/checkpoint/zip.h"

namespace cadenza {

namespace {

using Storages = std::map<std::string, ZipContent>;

bool is_packed(const PickleTensor& tensor) {
  std::int64_t step = 1;
  for (std::size_t axis = tensor.shape.size(); axis-- > 0;) {
    if (tensor.shape[axis] != 1 && tensor.strides[axis] != step) return false;
    step *= tensor.shape[axis];
  }
  return true;
}

/// Elements from the first to behind the last; all products checked.
std::uint64_t reach_of(const PickleTensor& tensor, const std::string& where) {
  std::uint64_t reach = 1;
  for (std::size_t axis = 0; axis < tensor.shape.size(); ++axis) {
    const std::int64_t size = tensor.shape[axis], stride = tensor.strides[axis];
    CADENZA_REQUIRE(stride >= 0, ErrorCode::kCorruptData, where, ": stride ", stride);
    std::uint64_t step = 0;
    const bool overflows = __builtin_mul_overflow(static_cast<std::uint64_t>(size - 1),
                                                  static_cast<std::uint64_t>(stride), &step) ||
                           __builtin_add_overflow(reach, step, &reach);
    CADENZA_REQUIRE(!overflows, ErrorCode::kCorruptData, where, ": strides ",
                    shape_text(tensor.strides), " reach beyond any memory");
  }
  return reach;
}

/// Makes tensors of what the pickle says of them.
class TensorMaker {
 public:
  TensorMaker(const Storages& storages, std::uint64_t most_copied)
      : storages_(storages), most_copied_(most_copied) {}

  StoredTensor make(const PickleTensor& tensor, const std::string& where) {
    const auto& storage = storages_.at(tensor.storage.key);
    const auto dtype = tensor.storage.dtype;
    const auto n_bytes = packed_bytes(tensor.shape, dtype, where);
    if (n_bytes == 0) return {dtype, tensor.shape, {}, nullptr};
    const auto n_elements = n_bytes / size_of(dtype);
    const auto reach = reach_of(tensor, where);
    CADENZA_REQUIRE(n_elements <= reach, ErrorCode::kUnsupported, where, ": shape ",
                    shape_text(tensor.shape), " repeats elements (strides ",
                    shape_text(tensor.strides), "); save tensor.contiguous()");
    CADENZA_REQUIRE(
        tensor.offset >= 0 && reach <= tensor.storage.n_elements &&
            static_cast<std::uint64_t>(tensor.offset) <= tensor.storage.n_elements - reach,
        ErrorCode::kCorruptData, where, ": elements ", tensor.offset, " to ",
        static_cast<std::uint64_t>(tensor.offset) + reach, " of a storage of ",
        tensor.storage.n_elements);
    const auto bytes = storage.bytes.subspan(
        static_cast<std::uint64_t>(tensor.offset) * size_of(dtype), reach * size_of(dtype));
    if (dtype == DType::kBool) require_bool_bytes(bytes, where);
    if (is_packed(tensor)) return {dtype, tensor.shape, bytes, storage.owner};
    CADENZA_REQUIRE(n_bytes <= most_copied_, ErrorCode::kLimitExceeded, where,
                    ": the strided tensors together are larger than the file");
    most_copied_ -= n_bytes;
    return gather_strided(bytes, dtype, tensor.shape, tensor.strides);
  }

 private:
  const Storages& storages_;
  std::uint64_t most_copied_;
};

/// Walks the nested containers and collects tensors by the keys that lead to them.
class Collector {
 public:
  Collector(TensorMaker maker, std::string_view name) : maker_(std::move(maker)), name_(name) {}

  void visit(const PickleValue& value, const std::string& key, int depth) {
    constexpr int kMaxDepth = 32;
    constexpr std::uint64_t kMaxSteps = 1 << 22;
    CADENZA_REQUIRE(depth <= kMaxDepth, ErrorCode::kLimitExceeded, name_,
                    ": containers are nested deeper than ", kMaxDepth);
    CADENZA_REQUIRE(++n_steps_ <= kMaxSteps, ErrorCode::kLimitExceeded, name_, ": more than ",
                    kMaxSteps, " values in nested containers");
    if (const auto* tensor = std::get_if<PickleTensor>(&value.is)) {
      const auto where = cat(name_, ": tensor '", key, "'");
      const bool is_new = found_.tensors.emplace(key, maker_.make(*tensor, where)).second;
      CADENZA_REQUIRE(is_new, ErrorCode::kCorruptData, where, ": stands there twice");
    } else if (const auto* dict = std::get_if<PickleDict>(&value.is)) {
      for (const auto& [name, item] : dict->items) {
        if (const auto part = name_of(*name)) visit(*item, join(key, *part), depth + 1);
      }
    } else if (const auto* list = std::get_if<PickleList>(&value.is)) {
      visit_all(list->items, key, depth);
    } else if (const auto* tuple = std::get_if<PickleTuple>(&value.is)) {
      visit_all(tuple->items, key, depth);
    }
  }

  Checkpoint take() { return std::move(found_); }

 private:
  void visit_all(const std::vector<PickleRef>& items, const std::string& key, int depth) {
    for (std::size_t index = 0; index < items.size(); ++index) {
      visit(*items[index], join(key, std::to_string(index)), depth + 1);
    }
  }
  static std::string join(const std::string& key, const std::string& part) {
    return key.empty() ? part : key + "." + part;
  }
  static std::optional<std::string> name_of(const PickleValue& key) {
    if (const auto* text = std::get_if<std::string>(&key.is)) return *text;
    if (const auto* number = std::get_if<std::int64_t>(&key.is)) return std::to_string(*number);
    return std::nullopt;
  }

  TensorMaker maker_;
  std::string_view name_;
  std::uint64_t n_steps_ = 0;
  Checkpoint found_;
};

Checkpoint collect(const Unpickled& pickle, const Storages& storages, std::uint64_t file_bytes,
                   std::string_view name) {
  Collector collector(TensorMaker(storages, file_bytes), name);
  collector.visit(*pickle.root, "", 0);
  return collector.take();
}

std::uint64_t bytes_of(const PickleStorage& storage, const std::string& where) {
  return packed_bytes({static_cast<std::int64_t>(storage.n_elements)}, storage.dtype, where);
}

/// "archive/" of the entry archive/data.pkl.
std::string root_of(const ZipArchive& archive, std::string_view name) {
  constexpr std::string_view kPickle = "/data.pkl";
  for (const auto& [entry, facts] : archive.entries()) {
    if (entry.ends_with(kPickle)) return entry.substr(0, entry.size() - kPickle.size() + 1);
  }
  throw Error(ErrorCode::kCorruptData,
              cat(name, ": a zip archive without data.pkl is no PyTorch checkpoint"));
}

Checkpoint read_zip_format(std::span<const std::byte> bytes, std::string_view name,
                           std::shared_ptr<const void> owner) {
  const ZipArchive archive(bytes, std::string(name), std::move(owner));
  const auto root = root_of(archive, name);
  CADENZA_REQUIRE(archive.find(root + "constants.pkl") == nullptr, ErrorCode::kUnsupported, name,
                  ": a TorchScript archive; save its state_dict instead");
  if (const auto* order = archive.find(root + "byteorder")) {
    const auto content = archive.read(*order);
    const std::string text(reinterpret_cast<const char*>(content.bytes.data()),
                           content.bytes.size());
    CADENZA_REQUIRE(text == "little", ErrorCode::kUnsupported, name, ": byte order '", text,
                    "'; little-endian files are read");
  }
  const auto content = archive.read(*archive.find(root + "data.pkl"));
  ByteReader reader(content.bytes, std::string(name));
  const auto pickle = unpickle(reader);
  Storages storages;
  for (const auto& [key, storage] : pickle.storages) {
    const auto* entry = archive.find(cat(root, "data/", key));
    CADENZA_REQUIRE(entry != nullptr, ErrorCode::kCorruptData, name, ": no storage '", key, "'");
    const auto n_bytes = bytes_of(storage, cat(name, ": storage '", key, "'"));
    CADENZA_REQUIRE(entry->n_bytes == n_bytes, ErrorCode::kCorruptData, name, ": storage '", key,
                    "': ", entry->n_bytes, " bytes, the tensors expect ", n_bytes);
    storages.emplace(key, archive.read(*entry));
  }
  return collect(pickle, storages, bytes.size(), name);
}

/// 0x1950a86a20f9469cfc6c as a pickle of protocol 2.
constexpr std::array<unsigned char, 15> kLegacyMagic{0x80, 2,    0x8a, 10,   0x6c, 0xfc, 0x9c, 0x46,
                                                     0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.'};

/// Refuses machines unlike ours: {protocol_version, little_endian, type_sizes}.
void require_same_machine(const Unpickled& facts, std::string_view name) {
  const auto* dict = std::get_if<PickleDict>(&facts.root->is);
  CADENZA_REQUIRE(dict != nullptr, ErrorCode::kCorruptData, name, ": no facts on the machine");
  for (const auto& [key, value] : dict->items) {
    const auto* text = std::get_if<std::string>(&key->is);
    const auto* flag = std::get_if<bool>(&value->is);
    const bool is_order = text != nullptr && *text == "little_endian";
    CADENZA_REQUIRE(!is_order || (flag != nullptr && *flag), ErrorCode::kUnsupported, name,
                    ": not little-endian");
  }
}

Checkpoint read_legacy_format(std::span<const std::byte> bytes, std::string_view name,
                              const std::shared_ptr<const void>& owner) {
  constexpr std::int64_t kProtocol = 1001;
  ByteReader reader(bytes, std::string(name));
  reader.skip(kLegacyMagic.size());
  const auto protocol = unpickle(reader);
  const auto* version = std::get_if<std::int64_t>(&protocol.root->is);
  CADENZA_REQUIRE(version != nullptr && *version == kProtocol, ErrorCode::kUnsupported, name,
                  ": not version ", kProtocol, " of PyTorch's older format");
  require_same_machine(unpickle(reader), name);
  const auto pickle = unpickle(reader);
  const auto keys = unpickle(reader);
  const auto* list = std::get_if<PickleList>(&keys.root->is);
  CADENZA_REQUIRE(list != nullptr, ErrorCode::kCorruptData, name, ": no list of storage keys");
  Storages storages;
  for (const auto* item : list->items) {
    const auto* key = std::get_if<std::string>(&item->is);
    CADENZA_REQUIRE(key != nullptr, ErrorCode::kCorruptData, name, ": a storage key is no text");
    const auto where = cat(name, ": storage '", *key, "'");
    const auto storage = pickle.storages.find(*key);
    CADENZA_REQUIRE(storage != pickle.storages.end(), ErrorCode::kCorruptData, where,
                    ": no tensor lies in it");
    const auto n_elements = reader.u64();
    CADENZA_REQUIRE(n_elements == storage->second.n_elements, ErrorCode::kCorruptData, where, ": ",
                    n_elements, " elements, the tensors expect ", storage->second.n_elements);
    const bool is_new =
        storages.emplace(*key, ZipContent{reader.take(bytes_of(storage->second, where)), owner})
            .second;
    CADENZA_REQUIRE(is_new, ErrorCode::kCorruptData, where, ": stands there twice");
  }
  for (const auto& [key, storage] : pickle.storages) {
    CADENZA_REQUIRE(storages.contains(key), ErrorCode::kCorruptData, name, ": no storage '", key,
                    "'");
  }
  return collect(pickle, storages, bytes.size(), name);
}

bool is_tar(std::span<const std::byte> bytes) {
  constexpr std::size_t kPlace = 257;
  constexpr std::string_view kWord = "ustar";
  return bytes.size() >= kPlace + kWord.size() &&
         std::memcmp(bytes.data() + kPlace, kWord.data(), kWord.size()) == 0;
}

}  // namespace

bool is_legacy_torch(std::span<const std::byte> bytes) noexcept {
  return bytes.size() >= kLegacyMagic.size() &&
         std::memcmp(bytes.data(), kLegacyMagic.data(), kLegacyMagic.size()) == 0;
}

Checkpoint read_torch_pth(const std::filesystem::path& path) {
  const auto file = std::make_shared<MappedFile>(path);
  return read_torch_pth(file->bytes(), path.string(), file);
}

Checkpoint read_torch_pth(std::span<const std::byte> bytes, std::string_view name,
                          std::shared_ptr<const void> owner) {
  if (is_zip(bytes)) return read_zip_format(bytes, name, std::move(owner));
  if (is_legacy_torch(bytes)) return read_legacy_format(bytes, name, owner);
  CADENZA_REQUIRE(!is_tar(bytes), ErrorCode::kUnsupported, name,
                  ": the tar format of PyTorch 0.1; load and save it with a later version");
  throw Error(ErrorCode::kCorruptData,
              cat(name, ": neither of the two formats that torch.save writes"));
}

}  // namespace cadenza
