#include "cadenza/method/ucad/prompted_vit.h"

#include <ATen/ATen.h>

#include "cadenza/base/error.h"

namespace cadenza {
namespace {

/// Tokens first, then the prefix, whatever order the graph recorded them in.
std::vector<at::Tensor> in_order(const Graph& graph, const at::Tensor& tokens,
                                 const std::vector<at::Tensor>& prefix) {
  std::vector<at::Tensor> inputs(graph.inputs().size());
  std::size_t next = 0;
  for (std::size_t place = 0; place < inputs.size(); ++place) {
    const auto& input = std::get<op::Input>(graph.nodes()[graph.inputs()[place]].op);
    const bool is_prefix = input.name.starts_with("prefix.");
    inputs[place] = is_prefix ? prefix.at(next++) : tokens;
  }
  return inputs;
}

at::Tensor patches_of(const at::Tensor& tokens) {
  return tokens.slice(1, 1).contiguous();  // without the class token
}

}  // namespace

PromptedVit::PromptedVit(const UcadSettings& settings, const NetworkEnvironment& environment)
    : device_(parse_device(environment.device)) {
  const auto networks = builtin_networks();
  const auto& entry = networks.find(settings.network);
  options_ = {.precision = pick_precision(settings.precision),
              .n_threads = environment.n_threads,
              .device = device_};
  options_.kind = device_.is_cpu() ? EngineKind::kOpenvino : EngineKind::kTorch;

  const auto tap = cat("tokens.", settings.tap_block);
  const auto shape = find_tap(entry, tap, settings.size_px, settings.size_px).shape;
  width_ = shape[2];
  for (rows_ = 1; rows_ * rows_ < shape[1] - 1; ++rows_) {
  }
  const auto cut = !settings.has_prompt()      ? tap
                   : settings.first_block == 0 ? std::string("embedding")
                                               : cat("tokens.", settings.first_block - 1);
  const auto describe = [&](const std::string& from, const std::string& to, PrefixPrompts prefix) {
    return entry.describe({.height_px = settings.size_px,
                           .width_px = settings.size_px,
                           .taps = {to},
                           .prefix = prefix,
                           .start_after = from});
  };
  weights_ = load_weights(entry, describe("", tap, {}), environment, settings.weights);
  start_ = make(describe("", cut, {}));
  fingerprint_ = cat(entry.name, ':', settings.size_px, "px:", start_->fingerprint());
  if (!settings.has_prompt()) return;
  plain_ = make(describe(cut, tap, {}));
  prompted_graph_ = describe(cut, tap,
                             {.n_tokens = static_cast<int>(settings.prompt_length),
                              .n_blocks = static_cast<int>(settings.n_blocks),
                              .first_block = static_cast<int>(settings.first_block)});
  prompted_ = make(prompted_graph_);
  fingerprint_ += cat('+', prompted_->fingerprint());
}

std::unique_ptr<Engine> PromptedVit::make(const Graph& graph) const {
  return make_engine(graph, weights_, options_);
}

at::Tensor PromptedVit::start(const at::Tensor& images) const {
  const at::Tensor inputs[] = {images};
  return start_->run(inputs)[0];
}

at::Tensor PromptedVit::plain(const at::Tensor& tokens) const {
  if (!plain_) return patches_of(tokens);
  const at::Tensor inputs[] = {tokens};
  return patches_of(plain_->run(inputs)[0]);
}

at::Tensor PromptedVit::prompted(const at::Tensor& tokens,
                                 const std::vector<at::Tensor>& prefix) const {
  CADENZA_DCHECK(prompted_ != nullptr);
  return patches_of(prompted_->run(in_order(prompted_graph_, tokens, prefix))[0]);
}

PromptedVit::Trainable PromptedVit::trainable() const {
  CADENZA_DCHECK(prompted_ != nullptr);
  return Trainable(std::make_unique<TorchEngine>(
      prompted_graph_, weights_,
      TorchOptions{.precision = options_.precision, .device = device_, .outputs_on_device = true}));
}

at::Tensor PromptedVit::Trainable::features(const at::Tensor& tokens,
                                            const std::vector<at::Tensor>& prefix) const {
  return engine_->run(in_order(engine_->graph(), tokens, prefix))[0].slice(1, 1);
}

}  // namespace cadenza
