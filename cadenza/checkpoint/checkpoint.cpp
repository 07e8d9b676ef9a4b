#include "cadenza/checkpoint/checkpoint.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include "cadenza/base/error.h"

namespace cadenza {

static_assert(std::endian::native == std::endian::little, "files are little-endian, and so are we");

namespace {

struct TypeFacts {
  DType dtype;
  std::string_view name;
  std::uint64_t n_bytes;
  bool is_floating;
};

constexpr std::array<TypeFacts, 13> kTypes{{{DType::kF64, "F64", 8, true},
                                            {DType::kF32, "F32", 4, true},
                                            {DType::kF16, "F16", 2, true},
                                            {DType::kBF16, "BF16", 2, true},
                                            {DType::kI64, "I64", 8, false},
                                            {DType::kI32, "I32", 4, false},
                                            {DType::kI16, "I16", 2, false},
                                            {DType::kI8, "I8", 1, false},
                                            {DType::kU64, "U64", 8, false},
                                            {DType::kU32, "U32", 4, false},
                                            {DType::kU16, "U16", 2, false},
                                            {DType::kU8, "U8", 1, false},
                                            {DType::kBool, "BOOL", 1, false}}};

const TypeFacts& facts_of(DType dtype) noexcept {
  return *std::ranges::find(kTypes, dtype, &TypeFacts::dtype);
}

/// IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits.
float float_of_half(std::uint16_t half) noexcept {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1FU;
  const std::uint32_t fraction = half & 0x3FFU;
  if (exponent == 0) {  // zero or subnormal: fraction * 2^-24, exact in float32
    const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
  }
  const std::uint32_t wide = exponent == 31 ? 255 : exponent + (127 - 15);
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

template <class Stored, class Convert>
std::vector<float> converted(std::span<const std::byte> bytes, const Convert& convert) {
  std::vector<float> values(bytes.size() / sizeof(Stored));
  for (std::size_t index = 0; index < values.size(); ++index) {
    Stored stored;
    std::memcpy(&stored, bytes.data() + index * sizeof(Stored), sizeof(Stored));
    values[index] = convert(stored);
  }
  return values;
}

std::vector<float> floats_of(const StoredTensor& tensor) {
  switch (tensor.dtype) {
    case DType::kF64:
      return converted<double>(tensor.bytes,
                               [](double value) { return static_cast<float>(value); });
    case DType::kF16:
      return converted<std::uint16_t>(tensor.bytes, float_of_half);
    case DType::kBF16:
      return converted<std::uint16_t>(tensor.bytes, [](std::uint16_t upper) {
        return std::bit_cast<float>(static_cast<std::uint32_t>(upper) << 16);
      });
    default:
      return converted<float>(tensor.bytes, [](float value) { return value; });
  }
}

}  // namespace

std::string_view to_string(DType dtype) noexcept { return facts_of(dtype).name; }
std::uint64_t size_of(DType dtype) noexcept { return facts_of(dtype).n_bytes; }
bool is_floating(DType dtype) noexcept { return facts_of(dtype).is_floating; }

std::optional<DType> dtype_named(std::string_view safetensors_name) noexcept {
  const auto found = std::ranges::find(kTypes, safetensors_name, &TypeFacts::name);
  return found == kTypes.end() ? std::nullopt : std::optional(found->dtype);
}

std::uint64_t packed_bytes(const TensorShape& shape, DType dtype, std::string_view where) {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  std::uint64_t product = size_of(dtype);
  for (const auto size : shape) {
    CADENZA_REQUIRE(size >= 0, ErrorCode::kCorruptData, where, ": shape ", shape_text(shape),
                    " has a negative size");
  }
  if (std::ranges::find(shape, 0) != shape.end()) return 0;
  for (const auto size : shape) {
    CADENZA_REQUIRE(product <= kMost / static_cast<std::uint64_t>(size), ErrorCode::kCorruptData,
                    where, ": shape ", shape_text(shape), " is larger than any memory");
    product *= static_cast<std::uint64_t>(size);
  }
  return product;
}

std::string shape_text(const TensorShape& shape) {
  std::string text = "[";
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    text += cat(axis == 0 ? "" : ", ", shape[axis]);
  }
  return text + "]";
}

FloatView float_view(const StoredTensor& tensor, std::string_view name) {
  CADENZA_REQUIRE(is_floating(tensor.dtype), ErrorCode::kInvalidArgument, name,
                  ": expected floating numbers, found ", to_string(tensor.dtype));
  const auto* data = tensor.bytes.data();
  const bool is_aligned = reinterpret_cast<std::uintptr_t>(data) % alignof(float) == 0;
  if (tensor.dtype == DType::kF32 && is_aligned) {
    return {{reinterpret_cast<const float*>(data), tensor.bytes.size() / sizeof(float)},
            tensor.owner};
  }
  const auto buffer = std::make_shared<const std::vector<float>>(floats_of(tensor));
  return {*buffer, buffer};
}

StoredTensor stored_floats(TensorShape shape, std::vector<float> values) {
  const auto buffer = std::make_shared<const std::vector<float>>(std::move(values));
  CADENZA_REQUIRE(packed_bytes(shape, DType::kF32, "stored_floats") == 4 * buffer->size(),
                  ErrorCode::kInvalidArgument, buffer->size(), " numbers for shape ",
                  shape_text(shape));
  return {DType::kF32, std::move(shape), std::as_bytes(std::span(*buffer)), buffer};
}

void require_bool_bytes(std::span<const std::byte> bytes, std::string_view where) {
  const auto wrong =
      std::ranges::find_if(bytes, [](std::byte value) { return value > std::byte{1}; });
  CADENZA_REQUIRE(wrong == bytes.end(), ErrorCode::kCorruptData, where,
                  ": a boolean is neither 0 nor 1 but ", std::to_integer<int>(*wrong));
}

}  // namespace cadenza
