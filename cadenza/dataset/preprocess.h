#pragma once

#include <string>

#include <ATen/core/Tensor.h>

#include "cadenza/dataset/input_spec.h"
#include "cadenza/image/decode.h"
#include "cadenza/image/image.h"

namespace cadenza {

// The only place that resizes and normalises pictures for a network. Errors of all functions:
// fitted_window(); kInvalidArgument: a standard deviation that is not above 0. All are pure.

/// How a picture is decoded that prepare() is given next. With reduced_decoding a JPEG of at least
/// twice the network's sides comes out at 1/2, 1/4 or 1/8 and never smaller than the network needs.
DecodeOptions decode_options(const InputSpec& input);

/// What the network is fed: resized, cut, (v / 255 - mean) / stddev. Grey is repeated.
///
/// Shapes   [3,H,W] float32.
/// Cost     300x300 RGB to 256x256: 0.3 ms with kTriangleFloat, which rounds nowhere; the other
///          resamplers give 8-bit values, and this is normalised() of prepare_pixels().
at::Tensor prepare(const Image& image, const InputSpec& input);

/// Resized and cut but not normalised: [H,W,3] uint8. Rounded to the nearest with kTriangleFloat.
at::Tensor prepare_pixels(const Image& image, const InputSpec& input);

/// Pixels that were prepared and perhaps changed since (augmentation, replay).
/// Shapes   pixels [B,H,W,3] uint8, any H and W -> [B,3,H,W] float32.
at::Tensor normalised(const at::Tensor& pixels, const InputSpec& input);

/// All that prepare() depends on, in one line: "256x256:squash:triangle:mean=0.5,0.5,0.5:std=..." A
/// part of every method's fingerprint.
std::string fingerprint(const InputSpec& input);

}  // namespace cadenza
