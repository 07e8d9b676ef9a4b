#include "cadenza/method/dual_prompt/prompt.h"

#include <cmath>

#include <ATen/ATen.h>

#include "cadenza/base/rng.h"

namespace cadenza::dual_prompt {
namespace {

void fill_uniform(at::Tensor& tensor, Rng& rng, double bound) {
  auto* value = tensor.mutable_data_ptr<float>();
  for (std::int64_t index = 0; index < tensor.numel(); ++index) {
    value[index] = static_cast<float>(rng.uniform(-bound, bound));
  }
}

}  // namespace

std::map<std::string, std::vector<std::int64_t>> prompt_sizes(const DualPromptSettings& settings,
                                                              std::int64_t n_channels) {
  std::map<std::string, std::vector<std::int64_t>> sizes;
  for (const auto& site : settings.sites) {
    if (settings.kernel_prompt) sizes["delta." + site.name] = site.kernel_shape;
    if (!settings.mask_prompt) continue;
    sizes["mask." + site.name] = {1, 1, site.input_shape[2], site.input_shape[3]};
    sizes["scale." + site.name] = {1};
  }
  if (settings.has_prompt() && settings.head_dim > 0) {
    sizes["head.weight"] = {settings.head_dim, n_channels};
    sizes["head.bias"] = {settings.head_dim};
  }
  return sizes;
}

DualPrompt initial_prompt(const DualPromptSettings& settings, std::int64_t n_channels,
                          std::uint64_t seed) {
  DualPrompt prompt;
  for (const auto& [name, sizes] : prompt_sizes(settings, n_channels)) {
    auto& tensor = prompt[name] = at::zeros(sizes, at::kFloat);
    if (name.starts_with("scale.")) tensor.fill_(1);
    if (!name.starts_with("head.")) continue;
    Rng rng(seed, name);
    fill_uniform(tensor, rng, 1 / std::sqrt(static_cast<double>(n_channels)));
  }
  return prompt;
}

bool is_trained(const DualPromptSettings& settings, std::string_view name) {
  return settings.trains_scale || !name.starts_with("scale.");
}

at::Tensor gate(const DualPrompt& prompt, const InjectionSite& site) {
  const auto mask = prompt.find("mask." + site.name);
  if (mask == prompt.end()) {
    return at::ones({1, 1, site.input_shape[2], site.input_shape[3]}, at::kFloat);
  }
  return 1 + prompt.at("scale." + site.name) * mask->second.tanh();
}

at::Tensor projected_cells(const DualPrompt& prompt, const at::Tensor& features) {
  const auto cells = features.flatten(2).transpose(1, 2);
  const auto weight = prompt.find("head.weight");
  if (weight == prompt.end()) return cells.contiguous();
  return at::linear(cells, weight->second, prompt.at("head.bias"));
}

}  // namespace cadenza::dual_prompt
