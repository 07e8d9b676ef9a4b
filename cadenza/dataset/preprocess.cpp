#include "cadenza/dataset/preprocess.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/dataset/fit.h"
#include "cadenza/image/resize.h"
#include "cadenza/tensor/shape.h"

namespace cadenza {

namespace {

void require_stddev(const InputSpec& input) {
  for (const float deviation : input.stddev) {
    CADENZA_REQUIRE(deviation > 0, ErrorCode::kInvalidArgument, "InputSpec: a stddev of ",
                    deviation, "; each needs to be above 0");
  }
}

Image resized(const Image& image, const FittedWindow& size, Resampler resampler) {
  switch (resampler) {
    case Resampler::kPillowBilinear:
      return resize_pillow(image, size.height_px, size.width_px, PillowFilter::kBilinear);
    case Resampler::kPillowBicubic:
      return resize_pillow(image, size.height_px, size.width_px, PillowFilter::kBicubic);
    case Resampler::kOpenCvLinear:
      return resize_opencv_linear(image, size.height_px, size.width_px);
    case Resampler::kTriangleFloat:
      break;
  }
  CADENZA_REQUIRE(false, ErrorCode::kInternal, "resized: kTriangleFloat has no 8-bit result");
  return {};
}

/// The triangle filter's float result, cut: [3,H,W].
at::Tensor triangle_window(const Image& image, const InputSpec& input,
                           const Normalisation& normalisation) {
  const auto window = fitted_window(input, image.height_px, image.width_px);
  at::Tensor planes = at::empty({3, window.height_px, window.width_px}, at::kFloat);
  resize_triangle(image, window.height_px, window.width_px, normalisation,
                  {planes.mutable_data_ptr<float>(), static_cast<std::size_t>(planes.numel())});
  return planes.slice(1, window.top, window.top + input.height_px)
      .slice(2, window.left, window.left + input.width_px)
      .contiguous();
}

std::uint8_t rounded(float value) {
  return static_cast<std::uint8_t>(std::clamp(std::nearbyint(value), 0.F, 255.F));
}

}  // namespace

DecodeOptions decode_options(const InputSpec& input) {
  DecodeOptions options;
  if (input.reduced_decoding) options.reduce_to_px = std::max(input.height_px, input.width_px);
  return options;
}

at::Tensor prepare(const Image& image, const InputSpec& input) {
  require_stddev(input);
  if (input.resampler == Resampler::kTriangleFloat) {
    return triangle_window(image, input, {.mean = input.mean, .stddev = input.stddev});
  }
  return normalised(prepare_pixels(image, input).unsqueeze(0), input).squeeze(0);
}

at::Tensor prepare_pixels(const Image& image, const InputSpec& input) {
  const auto n_pixels = input.height_px * input.width_px;
  const auto window = fitted_window(input, image.height_px, image.width_px);
  at::Tensor pixels = at::empty({input.height_px, input.width_px, 3}, at::TensorOptions(at::kByte));
  auto* const to = pixels.mutable_data_ptr<std::uint8_t>();
  if (input.resampler == Resampler::kTriangleFloat) {
    const at::Tensor planes = triangle_window(image, input, {});
    const float* const from = planes.const_data_ptr<float>();
    for (std::int64_t at = 0; at < n_pixels; ++at) {
      for (std::int64_t c = 0; c < 3; ++c) to[3 * at + c] = rounded(from[c * n_pixels + at]);
    }
    return pixels;
  }

  const Image fitted = crop(resized(image, window, input.resampler), window.top, window.left,
                            input.height_px, input.width_px);
  const auto* const from = fitted.pixels.data();
  if (fitted.n_channels == 3) {
    std::memcpy(to, from, fitted.pixels.size());
  } else {
    for (std::int64_t at = 0; at < n_pixels; ++at) std::fill_n(to + 3 * at, 3, from[at]);
  }
  return pixels;
}

at::Tensor normalised(const at::Tensor& pixels, const InputSpec& input) {
  require_shape(pixels, {kAnySize, kAnySize, kAnySize, 3}, "pixels [B,H,W,3]");
  CADENZA_REQUIRE(pixels.scalar_type() == at::kByte, ErrorCode::kInvalidArgument,
                  "pixels [B,H,W,3]: expected uint8, got ", at::toString(pixels.scalar_type()));
  require_stddev(input);
  std::array<std::array<float, 256>, 3> values{};  // by channel and 8-bit value
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t v = 0; v < 256; ++v) {
      values[c][v] = (float(v) / 255 - input.mean[c]) / input.stddev[c];
    }
  }

  const at::Tensor packed = pixels.contiguous();
  const auto n_images = packed.size(0), n_pixels = packed.size(1) * packed.size(2);
  at::Tensor images = at::empty({n_images, 3, packed.size(1), packed.size(2)}, at::kFloat);
  const auto* from = packed.const_data_ptr<std::uint8_t>();
  float* to = images.mutable_data_ptr<float>();
  for (std::int64_t image = 0; image < n_images; ++image, to += 3 * n_pixels) {
    for (std::int64_t at = 0; at < n_pixels; ++at) {
      to[at] = values[0][*from++];
      to[n_pixels + at] = values[1][*from++];
      to[2 * n_pixels + at] = values[2][*from++];
    }
  }
  return images;
}

std::string fingerprint(const InputSpec& input) {
  constexpr std::array kFits{"squash", "short_side_crop", "tiles"};
  constexpr std::array kResamplers{"triangle", "pillow_bilinear", "pillow_bicubic",
                                   "opencv_linear"};
  const auto numbers = [](const std::array<float, 3>& of_rgb) {
    return cat(of_rgb[0], ',', of_rgb[1], ',', of_rgb[2]);
  };
  return cat(input.height_px, 'x', input.width_px, ':', kFits[static_cast<std::size_t>(input.fit)],
             ':', kResamplers[static_cast<std::size_t>(input.resampler)],
             ":mean=", numbers(input.mean), ":std=", numbers(input.stddev),
             input.reduced_decoding ? ":reduced_decoding" : "");
}

}  // namespace cadenza
