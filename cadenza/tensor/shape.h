#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include <ATen/core/Tensor.h>

namespace cadenza {

inline constexpr std::int64_t kAnySize = -1;

/// Throws kInvalidArgument unless `tensor` has exactly the given sizes, where
/// kAnySize matches any extent. `name` is the parameter's name with its layout
/// as documented, e.g. "images [B,3,H,W]"; it opens the message.
void require_shape(const at::Tensor& tensor, std::initializer_list<std::int64_t> sizes,
                   std::string_view name);

}  // namespace cadenza
