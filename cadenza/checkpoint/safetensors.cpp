#include "cadenza/checkpoint/safetensors.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "cadenza/base/bytes.h"
#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/base/json.h"

namespace cadenza {

namespace {

constexpr std::uint64_t kMaxHeaderBytes = 10'000'000;
constexpr std::string_view kMetadata = "__metadata__";

struct Extent {
  std::uint64_t begin, end;
  std::string name;
};

std::uint64_t unsigned_of(const Json& value, const std::string& where, std::string_view what) {
  CADENZA_REQUIRE(value.is_number_unsigned() && value.get<std::uint64_t>() <= INT64_MAX,
                  ErrorCode::kCorruptData, where, ": ", what, " holds ",
                  value.is_primitive() ? value.dump() : std::string(value.type_name()),
                  ", no whole number");
  return value.get<std::uint64_t>();
}

const Json& array_of(const Json& entry, std::string_view key, const std::string& where) {
  const Json& array = json_member(entry, key, where);
  CADENZA_REQUIRE(array.is_array(), ErrorCode::kCorruptData, where, ": '", key, "' is no list");
  return array;
}

StoredTensor read_entry(const Json& entry, const std::string& where,
                        std::span<const std::byte> data, Extent& extent) {
  const Json& type = json_member(entry, "dtype", where);
  CADENZA_REQUIRE(type.is_string(), ErrorCode::kCorruptData, where, ": 'dtype' is no text");
  const auto dtype = dtype_named(type.get_ref<const std::string&>());
  CADENZA_REQUIRE(dtype.has_value(), ErrorCode::kUnsupported, where, ": type '",
                  type.get_ref<const std::string&>(), "' is none that we read");
  TensorShape shape;
  for (const Json& size : array_of(entry, "shape", where)) {
    shape.push_back(static_cast<std::int64_t>(unsigned_of(size, where, "'shape'")));
  }
  const Json& offsets = array_of(entry, "data_offsets", where);
  CADENZA_REQUIRE(offsets.size() == 2, ErrorCode::kCorruptData, where,
                  ": 'data_offsets' are two numbers, found ", offsets.size());
  extent.begin = unsigned_of(offsets[0], where, "'data_offsets'");
  extent.end = unsigned_of(offsets[1], where, "'data_offsets'");
  CADENZA_REQUIRE(extent.begin <= extent.end && extent.end <= data.size(), ErrorCode::kCorruptData,
                  where, ": offsets [", extent.begin, ", ", extent.end, ") in ", data.size(),
                  " bytes of data; the file is cut short or damaged");
  const auto n_bytes = packed_bytes(shape, *dtype, where);
  CADENZA_REQUIRE(n_bytes == extent.end - extent.begin, ErrorCode::kCorruptData, where, ": ",
                  shape_text(shape), ' ', to_string(*dtype), " is ", n_bytes,
                  " bytes, its offsets span ", extent.end - extent.begin);
  const auto bytes = data.subspan(extent.begin, n_bytes);
  if (*dtype == DType::kBool) require_bool_bytes(bytes, where);
  return {*dtype, std::move(shape), bytes, nullptr};
}

/// The extents cover the data once: no overlap, no hole, nothing behind the last.
void require_cover(std::vector<Extent> extents, std::uint64_t n_bytes, std::string_view name) {
  std::ranges::sort(extents, {},
                    [](const Extent& extent) { return std::pair(extent.begin, extent.end); });
  std::uint64_t covered = 0;
  for (const auto& extent : extents) {
    CADENZA_REQUIRE(
        extent.begin == covered, ErrorCode::kCorruptData, name, ": '", extent.name, "' begins at ",
        extent.begin, " of the data, ",
        extent.begin < covered ? "inside another tensor, which ends at " : "behind a hole from ",
        covered);
    covered = extent.end;
  }
  CADENZA_REQUIRE(covered == n_bytes, ErrorCode::kCorruptData, name, ": the tensors end at ",
                  covered, " of ", n_bytes, " bytes of data");
}

void read_texts(const Json& metadata, std::string_view name, Checkpoint& checkpoint) {
  CADENZA_REQUIRE(metadata.is_object(), ErrorCode::kCorruptData, name, ": '", kMetadata,
                  "' is no object");
  for (const auto& [key, text] : metadata.items()) {
    CADENZA_REQUIRE(text.is_string(), ErrorCode::kCorruptData, name, ": '", kMetadata, "': '", key,
                    "' is no text");
    checkpoint.texts[key] = text.get<std::string>();
  }
}

}  // namespace

Checkpoint read_safetensors(const std::filesystem::path& path) {
  const auto file = std::make_shared<MappedFile>(path);
  return read_safetensors(file->bytes(), path.string(), file);
}

Checkpoint read_safetensors(std::span<const std::byte> bytes, std::string_view name,
                            std::shared_ptr<const void> owner) {
  ByteReader reader(bytes, std::string(name));
  const auto n_header = reader.u64();
  CADENZA_REQUIRE(n_header <= reader.remaining(), ErrorCode::kCorruptData, name, ": a header of ",
                  n_header, " bytes, ", reader.remaining(),
                  " remain; not a safetensors file, or cut short");
  CADENZA_REQUIRE(n_header <= kMaxHeaderBytes, ErrorCode::kLimitExceeded, name, ": a header of ",
                  n_header, " bytes, at most ", kMaxHeaderBytes, " are read");
  const Json header = parse_json(reader.take_text(n_header), name);
  CADENZA_REQUIRE(header.is_object(), ErrorCode::kCorruptData, name, ": the header is no object");
  const auto data = reader.take(reader.remaining());
  Checkpoint checkpoint;
  std::vector<Extent> extents;
  for (const auto& [key, entry] : header.items()) {
    if (key == kMetadata) {
      read_texts(entry, name, checkpoint);
      continue;
    }
    auto tensor = read_entry(entry, cat(name, ": '", key, "'"), data,
                             extents.emplace_back(Extent{0, 0, key}));
    tensor.owner = owner;
    checkpoint.tensors.emplace(key, std::move(tensor));
  }
  require_cover(std::move(extents), data.size(), name);
  return checkpoint;
}

std::vector<std::byte> write_safetensors(const Checkpoint& checkpoint) {
  Json header = Json::object();
  if (!checkpoint.texts.empty()) header[std::string(kMetadata)] = checkpoint.texts;
  std::uint64_t offset = 0;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    CADENZA_REQUIRE(name != kMetadata, ErrorCode::kInvalidArgument, "a tensor cannot be named '",
                    kMetadata, "'");
    const std::uint64_t end = offset + tensor.bytes.size();
    header[name] = {{"dtype", to_string(tensor.dtype)},
                    {"shape", tensor.shape},
                    {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const Json::type_error&) {
    throw Error(ErrorCode::kInvalidArgument, "a name or a text of a safetensors file is not UTF-8");
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::uint64_t n_header = text.size();
  std::vector<std::byte> bytes;
  bytes.reserve(sizeof n_header + text.size() + offset);
  const auto append = [&](std::span<const std::byte> part) {
    bytes.insert(bytes.end(), part.begin(), part.end());
  };
  append(std::as_bytes(std::span(&n_header, 1)));
  append(std::as_bytes(std::span(text)));
  for (const auto& [name, tensor] : checkpoint.tensors) append(tensor.bytes);
  return bytes;
}

}  // namespace cadenza
