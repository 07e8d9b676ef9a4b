#include "cadenza/inspector/state_file.h"

#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/checkpoint/safetensors.h"

namespace cadenza {

namespace {

constexpr std::array<std::pair<at::ScalarType, DType>, 10> kTypes = {{{at::kFloat, DType::kF32},
                                                                      {at::kDouble, DType::kF64},
                                                                      {at::kHalf, DType::kF16},
                                                                      {at::kBFloat16, DType::kBF16},
                                                                      {at::kLong, DType::kI64},
                                                                      {at::kInt, DType::kI32},
                                                                      {at::kShort, DType::kI16},
                                                                      {at::kChar, DType::kI8},
                                                                      {at::kByte, DType::kU8},
                                                                      {at::kBool, DType::kBool}}};

DType stored_type(at::ScalarType type) {
  for (const auto& [known, stored] : kTypes) {
    if (known == type) return stored;
  }
  throw Error(ErrorCode::kInvalidArgument,
              cat("state: no safetensors type for ", at::toString(type)));
}

at::ScalarType torch_type(DType stored, std::string_view name, const std::string& key) {
  for (const auto& [type, known] : kTypes) {
    if (known == stored) return type;
  }
  throw Error(ErrorCode::kCorruptData,
              cat(name, ": '", key, "': type ", to_string(stored), " is none of a state"));
}

}  // namespace

std::vector<std::byte> write_state_file(const StatePiece& piece) {
  Checkpoint checkpoint{.tensors = {}, .texts = piece.texts};
  for (const auto& [name, tensor] : piece.tensors) {
    CADENZA_REQUIRE(tensor.is_cpu(), ErrorCode::kInvalidArgument, "state: '", name,
                    "' is not on the CPU");
    const auto packed = std::make_shared<const at::Tensor>(tensor.contiguous());
    checkpoint.tensors[name] = {
        stored_type(tensor.scalar_type()),
        tensor.sizes().vec(),
        {static_cast<const std::byte*>(packed->const_data_ptr()), packed->nbytes()},
        packed};
  }
  return write_safetensors(checkpoint);
}

StatePiece read_state_file(std::span<const std::byte> bytes, std::string_view name) {
  const auto checkpoint = read_safetensors(bytes, name, nullptr);
  StatePiece piece{.tensors = {}, .texts = checkpoint.texts};
  for (const auto& [key, stored] : checkpoint.tensors) {
    at::Tensor tensor = at::empty(stored.shape, torch_type(stored.dtype, name, key));
    if (!stored.bytes.empty()) {
      std::memcpy(tensor.mutable_data_ptr(), stored.bytes.data(), stored.bytes.size());
    }
    piece.tensors[key] = tensor;
  }
  return piece;
}

}  // namespace cadenza
