#include "cadenza/inspector/state_file.h"

#include <array>
#include <bit>
#include <cstring>
#include <string>
#include <utility>

#include <ATen/ATen.h>

#include "cadenza/base/bytes.h"
#include "cadenza/base/error.h"
#include "cadenza/base/json.h"

namespace cadenza {

namespace {

constexpr std::array<std::pair<at::ScalarType, std::string_view>, 10> kTypes = {
    {{at::kFloat, "F32"},
     {at::kDouble, "F64"},
     {at::kHalf, "F16"},
     {at::kBFloat16, "BF16"},
     {at::kLong, "I64"},
     {at::kInt, "I32"},
     {at::kShort, "I16"},
     {at::kChar, "I8"},
     {at::kByte, "U8"},
     {at::kBool, "BOOL"}}};

std::string_view name_of(at::ScalarType type) {
  for (const auto& [known, name] : kTypes) {
    if (known == type) return name;
  }
  throw Error(ErrorCode::kInvalidArgument,
              cat("state: no safetensors type for ", at::toString(type)));
}

at::ScalarType type_of(std::string_view name, const std::string& where) {
  for (const auto& [type, known] : kTypes) {
    if (known == name) return type;
  }
  throw Error(ErrorCode::kCorruptData, cat(where, ": unknown type '", name, "'"));
}

}  // namespace

std::vector<std::byte> write_state_file(const StatePiece& piece) {
  Json header = Json::object();
  if (!piece.texts.empty()) header["__metadata__"] = piece.texts;
  std::uint64_t offset = 0;
  for (const auto& [name, tensor] : piece.tensors) {
    const std::uint64_t end = offset + tensor.nbytes();
    header[name] = {{"dtype", name_of(tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = text.size();
  std::vector<std::byte> bytes(sizeof length + text.size() + offset);
  std::memcpy(bytes.data(), &length, sizeof length);
  std::memcpy(bytes.data() + sizeof length, text.data(), text.size());
  std::byte* data = bytes.data() + sizeof length + text.size();
  for (const auto& [name, tensor] : piece.tensors) {
    const at::Tensor packed = tensor.contiguous();
    if (packed.nbytes() > 0) std::memcpy(data, packed.const_data_ptr(), packed.nbytes());
    data += packed.nbytes();
  }
  return bytes;
}

StatePiece read_state_file(std::span<const std::byte> bytes, std::string_view name) {
  ByteReader reader(bytes, std::string(name));
  const Json header = parse_json(reader.take_text(reader.u64()), name);
  const auto data = reader.take(reader.remaining());
  StatePiece piece;
  for (const auto& [key, entry] : header.items()) {
    if (key == "__metadata__") {
      piece.texts = entry.get<std::map<std::string, std::string>>();
      continue;
    }
    const auto type = type_of(entry.at("dtype").get<std::string>(), reader.name());
    const auto sizes = entry.at("shape").get<std::vector<std::int64_t>>();
    const auto first = entry.at("data_offsets").at(0).get<std::uint64_t>();
    const auto last = entry.at("data_offsets").at(1).get<std::uint64_t>();
    CADENZA_REQUIRE(first <= last && last <= data.size(), ErrorCode::kCorruptData, name, ": ", key);
    at::Tensor tensor = at::empty(sizes, type);
    CADENZA_REQUIRE(tensor.nbytes() == last - first, ErrorCode::kCorruptData, name, ": ", key);
    if (first < last) std::memcpy(tensor.mutable_data_ptr(), data.data() + first, last - first);
    piece.tensors[key] = tensor;
  }
  return piece;
}

}  // namespace cadenza
