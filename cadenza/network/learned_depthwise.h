#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace cadenza {

/// A depthwise convolution whose kernels learn: at::conv2d, with a gradient of the kernels of its
/// own. oneDNN has no depthwise kernel for that gradient where grids are small: it unfolds the
/// image channel by channel, and one such layer takes longer than the rest of its block.
///
/// Shapes   x [B,C,H,W], kernels [C,1,k,k], bias [C] or undefined, of one type, on the CPU; zeros
///          outside by `pad_y` and `pad_x` on both sides; returns [B,C,h,w].
/// Cost     of the gradient: B*h*w*C*k*k multiply-adds, copies of x and of the output's gradient.
/// Threads  pure. Gradients have the same bits on any thread count.
at::Tensor learned_depthwise_conv(const at::Tensor& x, const at::Tensor& kernels,
                                  const at::Tensor& bias, std::int64_t stride, std::int64_t pad_y,
                                  std::int64_t pad_x);

}  // namespace cadenza
