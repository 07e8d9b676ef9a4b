#include "cadenza/method/dual_prompt/prompted_network.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"

namespace cadenza::dual_prompt {
namespace {

GraphRequest part(const DualPromptSettings& settings, const std::string& from,
                  const std::string& to) {
  return {.height_px = settings.size_px,
          .width_px = settings.size_px,
          .taps = {to},
          .start_after = from};
}

}  // namespace

Graph describe_prompted(const NetworkEntry& network, const DualPromptSettings& settings,
                        const std::string& from, const std::string& to) {
  const auto is_injected = [&](const InjectionSite& site) {
    return std::ranges::find(settings.sites, site.name, &InjectionSite::name) !=
           settings.sites.end();
  };
  auto request = part(settings, from, to);
  if (settings.kernel_prompt) {
    request.injection.kernel = [&](Graph& g, const InjectionSite& site, GraphValue kernel) {
      if (!is_injected(site)) return kernel;
      return g.add(kernel, g.input("delta." + site.name, site.kernel_shape));
    };
  }
  if (settings.mask_prompt) {
    request.injection.block_input = [&](Graph& g, const InjectionSite& site, GraphValue x) {
      if (!is_injected(site)) return x;
      return g.mul(x,
                   g.input("gate." + site.name, {1, 1, site.input_shape[2], site.input_shape[3]}));
    };
  }
  return network.describe(std::move(request));
}

std::vector<at::Tensor> prompted_inputs(const Graph& graph, const DualPromptSettings& settings,
                                        const at::Tensor& first, const DualPrompt& prompt) {
  std::vector<at::Tensor> inputs;
  for (const auto node : graph.inputs()) {
    const auto& name = std::get<op::Input>(graph.nodes()[static_cast<std::size_t>(node)].op).name;
    if (name.starts_with("delta.")) {
      inputs.push_back(prompt.at(name));
    } else if (name.starts_with("gate.")) {
      const auto site = name.substr(std::string_view("gate.").size());
      inputs.push_back(
          gate(prompt, *std::ranges::find(settings.sites, site, &InjectionSite::name)));
    } else {
      inputs.push_back(first);
    }
  }
  return inputs;
}

PromptedNetwork::PromptedNetwork(const DualPromptSettings& settings,
                                 const NetworkEnvironment& environment)
    : settings_(settings) {
  const auto networks = builtin_networks();
  const auto& entry = networks.find(settings.network);
  const auto device = parse_device(environment.device);
  options_ = {.kind = device.is_cpu() ? EngineKind::kOpenvino : EngineKind::kTorch,
              .precision = pick_precision(settings.precision),
              .n_threads = environment.n_threads,
              .device = device};

  const auto& tap = settings.analysis_tap;
  const auto shape = find_tap(entry, tap, settings.size_px, settings.size_px).shape;
  n_channels_ = shape[1];
  rows_ = shape[2];
  columns_ = shape[3];
  const auto cut = settings.has_prompt() ? tap_before(entry, settings.sites[0]) : tap;
  const auto cut_shape = find_tap(entry, cut, settings.size_px, settings.size_px).shape;
  prefix_sizes_.assign(cut_shape.begin() + 1, cut_shape.end());

  const auto whole = entry.describe(part(settings, "", tap));
  weights_ = load_weights(entry, whole, environment, settings.weights);
  const auto make = [&](const Graph& graph) { return make_engine(graph, weights_, options_); };
  start_ = make(entry.describe(part(settings, "", cut)));
  fingerprint_ = cat(entry.name, ':', settings.size_px, "px:", start_->fingerprint());
  if (!settings.has_prompt()) return;
  plain_ = make(entry.describe(part(settings, cut, tap)));
  prompted_ = make(describe_prompted(entry, settings_, cut, tap));
  fingerprint_ += cat('+', prompted_->fingerprint());
}

at::Tensor PromptedNetwork::start(const at::Tensor& images) const {
  const at::Tensor inputs[] = {images};
  return start_->run(inputs)[0];
}

at::Tensor PromptedNetwork::plain(const at::Tensor& prefix) const {
  if (!plain_) return prefix;
  const at::Tensor inputs[] = {prefix};
  return plain_->run(inputs)[0];
}

at::Tensor PromptedNetwork::prompted(const at::Tensor& prefix, const DualPrompt& prompt) const {
  CADENZA_DCHECK(prompted_ != nullptr);
  return prompted_->run(prompted_inputs(prompted_->graph(), settings_, prefix, prompt))[0];
}

PromptedNetwork::Trainable PromptedNetwork::trainable() const {
  CADENZA_DCHECK(prompted_ != nullptr);
  Trainable trainable;
  trainable.settings_ = &settings_;
  trainable.engine_ = std::make_unique<TorchEngine>(
      prompted_->graph(), weights_,
      TorchOptions{
          .precision = options_.precision, .device = options_.device, .outputs_on_device = true});
  return trainable;
}

at::Tensor PromptedNetwork::Trainable::features(const at::Tensor& prefix,
                                                const DualPrompt& prompt) const {
  return engine_->run(prompted_inputs(engine_->graph(), *settings_, prefix, prompt))[0];
}

}  // namespace cadenza::dual_prompt
