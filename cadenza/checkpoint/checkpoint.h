#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cadenza {

/// What an element of a stored tensor is; always little-endian.
enum class DType { kF64, kF32, kF16, kBF16, kI64, kI32, kI16, kI8, kU64, kU32, kU16, kU8, kBool };

std::string_view to_string(DType dtype) noexcept;  ///< as safetensors spells it: "BF16"
std::optional<DType> dtype_named(std::string_view safetensors_name) noexcept;
std::uint64_t size_of(DType dtype) noexcept;  ///< bytes
bool is_floating(DType dtype) noexcept;

using TensorShape = std::vector<std::int64_t>;

/// A read-only tensor where a file or a buffer holds it: packed, in row-major order. Its first byte
/// lies wherever the file put it, aligned or not.
struct StoredTensor {
  DType dtype = DType::kF32;
  TensorShape shape;
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;  ///< keeps the mapping or the buffer alive
};

/// Bytes of a tensor. Errors: kCorruptData, opened by `where`, for a negative size or a product
/// that no memory can hold.
std::uint64_t packed_bytes(const TensorShape& shape, DType dtype, std::string_view where);

/// "[3, 224]"
std::string shape_text(const TensorShape& shape);

/// Named tensors and named texts: what every reader of this folder gives, whatever the format.
struct Checkpoint {
  std::map<std::string, StoredTensor> tensors;
  std::map<std::string, std::string> texts;
};

/// Numbers as float32.
struct FloatView {
  std::span<const float> data;
  std::shared_ptr<const void> owner;
};

/// An aligned float32 tensor is used where it lies; any other floating type is converted (float64
/// is rounded). Errors: kInvalidArgument for integers and booleans, opened by `name`.
FloatView float_view(const StoredTensor& tensor, std::string_view name);

/// float32 tensors in a buffer of their own.
StoredTensor stored_floats(TensorShape shape, std::vector<float> values);

/// Errors: kCorruptData unless every byte is 0 or 1, which is all that a bool may hold.
void require_bool_bytes(std::span<const std::byte> bytes, std::string_view where);

}  // namespace cadenza
