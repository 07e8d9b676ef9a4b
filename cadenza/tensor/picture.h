#pragma once

#include <ATen/core/Tensor.h>

#include "cadenza/image/image.h"

namespace cadenza {

/// A copy of the pixels, [H,W,C] uint8.
at::Tensor tensor_of(const Image& image);

/// A copy of the pixels. Shapes: pixels [H,W,C] uint8, C 1 or 3.
Image image_of(const at::Tensor& pixels);

}  // namespace cadenza
