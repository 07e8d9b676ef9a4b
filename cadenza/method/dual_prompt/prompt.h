#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/method/dual_prompt/settings.h"

namespace cadenza::dual_prompt {

/// All that a task learns, by name. For each injected block sKbI:
///
///   delta.sKbI [C,1,k,k]    added to the depthwise convolution's kernels      (kernel prompt)
///   mask.sKbI  [1,1,h,w]    M: the block's input becomes x * (1 + a tanh(M))  (mask prompt)
///   scale.sKbI [1]          a
///
/// and head.weight [D,C], head.bias [D]: features are projected by it. Which of them there are is
/// the settings' to say.
using DualPrompt = std::map<std::string, at::Tensor>;

/// Names and sizes. `n_channels`: of the features before the head.
std::map<std::string, std::vector<std::int64_t>> prompt_sizes(const DualPromptSettings& settings,
                                                              std::int64_t n_channels);

/// Prompts that change nothing, and a random head: U(-1/sqrt(C), 1/sqrt(C)), the same for every
/// task of a seed.
DualPrompt initial_prompt(const DualPromptSettings& settings, std::int64_t n_channels,
                          std::uint64_t seed);

/// Whether training moves the tensor of this name.
bool is_trained(const DualPromptSettings& settings, std::string_view name);

/// What the block of the site multiplies its input with: [1,1,h,w], with the prompt's graph. Ones
/// where there is no mask.
at::Tensor gate(const DualPrompt& prompt, const InjectionSite& site);

/// Features [B,C,h,w] as rows [B,h*w,D], projected where there is a head.
at::Tensor projected_cells(const DualPrompt& prompt, const at::Tensor& features);

}  // namespace cadenza::dual_prompt
