#include "cadenza/tensor/picture.h"

#include <cstring>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/tensor/shape.h"

namespace cadenza {

at::Tensor tensor_of(const Image& image) {
  const auto n_bytes =
      static_cast<std::size_t>(image.height_px * image.width_px * image.n_channels);
  CADENZA_REQUIRE(image.pixels.size() == n_bytes, ErrorCode::kInvalidArgument, "image of ",
                  image.height_px, "x", image.width_px, "x", image.n_channels, ": expected ",
                  n_bytes, " bytes, got ", image.pixels.size());
  at::Tensor pixels =
      at::empty({image.height_px, image.width_px, image.n_channels}, at::TensorOptions(at::kByte));
  if (n_bytes > 0) std::memcpy(pixels.mutable_data_ptr(), image.pixels.data(), n_bytes);
  return pixels;
}

Image image_of(const at::Tensor& pixels) {
  require_shape(pixels, {kAnySize, kAnySize, kAnySize}, "pixels [H,W,C]");
  const std::int64_t n_channels = pixels.size(2);
  CADENZA_REQUIRE(pixels.scalar_type() == at::kByte && (n_channels == 1 || n_channels == 3),
                  ErrorCode::kInvalidArgument, "pixels [H,W,C]: expected uint8 with C 1 or 3, got ",
                  at::toString(pixels.scalar_type()), " with C ", n_channels);
  const at::Tensor packed = pixels.contiguous();
  const auto* first = packed.const_data_ptr<std::uint8_t>();
  return {pixels.size(0), pixels.size(1), n_channels, {first, first + packed.numel()}};
}

}  // namespace cadenza
