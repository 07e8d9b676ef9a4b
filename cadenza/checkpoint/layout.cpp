#include "cadenza/checkpoint/layout.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "cadenza/base/error.h"

namespace cadenza {

namespace {

std::vector<std::int64_t> packed_strides(const TensorShape& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t axis = shape.size(); axis-- > 1;) {
    strides[axis - 1] = strides[axis] * shape[axis];
  }
  return strides;
}

/// Copies element by element; `kBytes` is fixed so that the copy is a move of a register.
template <std::size_t kBytes>
void gather(const std::byte* source, std::byte* target, const TensorShape& shape,
            std::span<const std::int64_t> strides, std::uint64_t n_elements) {
  std::vector<std::int64_t> place(shape.size(), 0);
  std::int64_t offset = 0;
  for (std::uint64_t element = 0; element < n_elements; ++element) {
    std::memcpy(target + element * kBytes, source + offset * static_cast<std::int64_t>(kBytes),
                kBytes);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      offset += strides[axis];
      if (++place[axis] < shape[axis]) break;
      offset -= strides[axis] * shape[axis];
      place[axis] = 0;
    }
  }
}

}  // namespace

StoredTensor gather_strided(std::span<const std::byte> bytes, DType dtype, TensorShape shape,
                            std::span<const std::int64_t> strides) {
  CADENZA_DCHECK(strides.size() == shape.size());
  const auto n_bytes = packed_bytes(shape, dtype, "gather_strided");
  const auto buffer = std::make_shared<std::vector<std::byte>>(n_bytes);
  const auto n_elements = n_bytes / size_of(dtype);
  switch (size_of(dtype)) {
    case 1:
      gather<1>(bytes.data(), buffer->data(), shape, strides, n_elements);
      break;
    case 2:
      gather<2>(bytes.data(), buffer->data(), shape, strides, n_elements);
      break;
    case 4:
      gather<4>(bytes.data(), buffer->data(), shape, strides, n_elements);
      break;
    default:
      gather<8>(bytes.data(), buffer->data(), shape, strides, n_elements);
  }
  return {dtype, std::move(shape), *buffer, buffer};
}

StoredTensor permute(const StoredTensor& tensor, std::span<const int> order) {
  const auto n_axes = static_cast<int>(tensor.shape.size());
  bool is_permutation = static_cast<int>(order.size()) == n_axes;
  for (int axis = 0; axis < n_axes && is_permutation; ++axis) {
    is_permutation = std::ranges::count(order, axis) == 1;
  }
  CADENZA_REQUIRE(is_permutation, ErrorCode::kInvalidArgument, "shape ", shape_text(tensor.shape),
                  ": expected an order of its ", n_axes, " axes, got ", order.size(), " numbers");
  const auto strides = packed_strides(tensor.shape);
  TensorShape shape;
  std::vector<std::int64_t> moved;
  for (const int axis : order) {
    shape.push_back(tensor.shape[static_cast<std::size_t>(axis)]);
    moved.push_back(strides[static_cast<std::size_t>(axis)]);
  }
  return gather_strided(tensor.bytes, tensor.dtype, std::move(shape), moved);
}

StoredTensor reshape(const StoredTensor& tensor, TensorShape shape) {
  CADENZA_REQUIRE(packed_bytes(shape, tensor.dtype, "reshape") == tensor.bytes.size(),
                  ErrorCode::kInvalidArgument, "shape ", shape_text(tensor.shape),
                  " cannot be read as ", shape_text(shape));
  return {tensor.dtype, std::move(shape), tensor.bytes, tensor.owner};
}

StoredTensor concat(std::span<const StoredTensor> parts) {
  CADENZA_REQUIRE(!parts.empty(), ErrorCode::kInvalidArgument, "concat: no parts");
  const auto buffer = std::make_shared<std::vector<std::byte>>();
  TensorShape shape = parts[0].shape;
  CADENZA_REQUIRE(!shape.empty(), ErrorCode::kInvalidArgument, "concat: a part has no axis");
  shape[0] = 0;
  for (const auto& part : parts) {
    CADENZA_REQUIRE(part.dtype == parts[0].dtype && part.shape.size() == shape.size() &&
                        std::equal(part.shape.begin() + 1, part.shape.end(), shape.begin() + 1),
                    ErrorCode::kInvalidArgument, "concat: ", shape_text(part.shape), ' ',
                    to_string(part.dtype), " does not go with ", shape_text(parts[0].shape), ' ',
                    to_string(parts[0].dtype));
    shape[0] += part.shape[0];
    buffer->insert(buffer->end(), part.bytes.begin(), part.bytes.end());
  }
  return {parts[0].dtype, std::move(shape), *buffer, buffer};
}

}  // namespace cadenza
