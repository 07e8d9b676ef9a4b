#include "cadenza/continual/learned_network.h"

#include <algorithm>
#include <charconv>
#include <set>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "cadenza/base/error.h"

namespace cadenza {

namespace {

/// The tap behind which the last `n` stages or blocks begin.
std::string start_of_last(const std::vector<TapInfo>& taps, std::int64_t n,
                          const std::string& network) {
  for (const std::string prefix : {"stage.", "tokens."}) {
    std::vector<std::string> names;
    for (const auto& tap : taps) {
      if (tap.name.starts_with(prefix)) names.push_back(tap.name);
    }
    if (names.empty()) continue;
    CADENZA_REQUIRE(1 <= n && n < std::ssize(names), ErrorCode::kInvalidArgument,
                    "trainable 'last_", n, "': expected 1 to ", std::ssize(names) - 1,
                    " of network '", network, "', or all");
    return names[names.size() - static_cast<std::size_t>(n) - 1];
  }
  throw Error(ErrorCode::kUnsupported,
              cat("trainable: network '", network, "' has neither stages nor blocks; use all"));
}

std::string start_tap(const std::string& trainable, const std::vector<TapInfo>& taps,
                      const std::string& network) {
  if (trainable == "all") return {};
  const std::string prefix = "last_";
  std::int64_t n = 0;
  const auto* const last = trainable.data() + trainable.size();
  const bool is_last = trainable.starts_with(prefix) &&
                       std::from_chars(trainable.data() + prefix.size(), last, n).ptr == last &&
                       n > 0;
  CADENZA_REQUIRE(is_last, ErrorCode::kInvalidArgument, "trainable '", trainable,
                  "': expected all, none or last_K (for instance last_2)");
  return start_of_last(taps, n, network);
}

/// Weights that gradient steps may move: no statistics of a batch norm, no patch convolution.
std::vector<std::string> learnable(const Graph& graph) {
  std::set<std::string> names;
  for (const auto& node : graph.nodes()) {
    const auto* weight = std::get_if<op::Weight>(&node.op);
    if (weight == nullptr) continue;
    const auto& name = weight->name;
    const bool is_statistic = name.ends_with("running_mean") || name.ends_with("running_var");
    if (!is_statistic && !name.starts_with("patch_embed.")) names.insert(name);
  }
  return {names.begin(), names.end()};
}

}  // namespace

at::Tensor layer_columns(const Graph& graph, const std::string& weight, const at::Tensor& input) {
  for (const auto& node : graph.nodes()) {
    const auto* conv = std::get_if<op::Conv>(&node.op);
    if (input.dim() != 4) break;
    if (conv == nullptr) continue;
    // The kernel may have been folded on its way here: follow it back to a weight of this name.
    std::set<int> seen, open = {node.in[1]};
    bool is_found = false;
    while (!open.empty() && !is_found) {
      const int at = *open.begin();
      open.erase(open.begin());
      if (!seen.insert(at).second) continue;
      const auto* named = std::get_if<op::Weight>(&graph.nodes()[at].op);
      is_found = named != nullptr && named->name == weight;
      open.insert(graph.nodes()[at].in.begin(), graph.nodes()[at].in.end());
    }
    if (!is_found) continue;
    const auto& kernel = graph.nodes()[node.in[1]].shape;
    const auto& pads = conv->pads;
    const auto padded =
        at::constant_pad_nd(input.to(at::kFloat), {pads.left, pads.right, pads.top, pads.bottom});
    // [B,C*k*k,L]: of every group [C/groups*k*k] values lie together.
    const auto patches =
        at::im2col(padded, {kernel[2], kernel[3]}, {1, 1}, {0, 0}, {conv->stride, conv->stride});
    const auto d_in = kernel[1] * kernel[2] * kernel[3];
    return patches.view({patches.size(0), -1, d_in, patches.size(2)})
        .permute({2, 0, 1, 3})
        .reshape({d_in, -1});
  }
  return input.to(at::kFloat).reshape({-1, input.size(-1)}).t();
}

LearnedNetwork::LearnedNetwork(const LearnedNetworkRequest& request,
                               const NetworkEnvironment& environment)
    : entry_(builtin_networks().find(request.network)),
      height_px_(request.height_px == 0 ? entry_.size_px : request.height_px),
      width_px_(request.width_px == 0 ? entry_.size_px : request.width_px) {
  const auto taps = list_taps(entry_, height_px_, width_px_);
  const bool has_pre_logits = std::ranges::find(taps, "pre_logits", &TapInfo::name) != taps.end();
  tap_ = has_pre_logits ? "pre_logits" : "pooled";
  n_dimensions_ = find_tap(entry_, tap_, height_px_, width_px_).channels;
  const bool is_frozen = request.trainable == "none";
  if (!is_frozen) start_ = start_tap(request.trainable, taps, entry_.name);

  engine_options_ = {.precision = pick_precision(request.precision),
                     .n_threads = environment.n_threads,
                     .device = parse_device(environment.device)};
  engine_options_.kind =
      engine_options_.device.is_cpu() ? EngineKind::kOpenvino : EngineKind::kTorch;
  const GraphRequest whole{.height_px = height_px_, .width_px = width_px_, .taps = {tap_}};
  weights_ = load_weights(entry_, entry_.describe(whole), environment, request.weights);
  refresh();
  fingerprint_ = cat(entry_.name, ':', height_px_, 'x', width_px_, ':', scorer_->fingerprint());

  auto end = whole;
  end.start_after = is_frozen ? tap_ : start_;
  auto graph = entry_.describe(end);
  auto names = is_frozen ? std::vector<std::string>{} : learnable(graph);
  learner_ = std::make_unique<TorchEngine>(
      std::move(graph), weights_,
      TorchOptions{.precision = engine_options_.precision,
                   .device = engine_options_.device,
                   .channels_last = entry_.family != "vit" && engine_options_.device.is_cpu(),
                   .trainable = std::move(names),
                   .outputs_on_device = true});
  start_ = end.start_after;
}

const TorchEngine& LearnedNetwork::learner() const { return *learner_; }

at::Tensor LearnedNetwork::frozen_part(const at::Tensor& images) const {
  if (start_.empty()) return images;
  if (beginning_of_.images.is_same(images)) return beginning_of_.features;
  if (beginning_ == nullptr) {
    beginning_ = make_engine(
        entry_.describe({.height_px = height_px_, .width_px = width_px_, .taps = {start_}}),
        weights_, engine_options_);
  }
  const c10::NoGradGuard no_grad;
  const at::Tensor inputs[] = {images.contiguous()};
  beginning_of_ = {images, beginning_->run(inputs)[0]};
  return beginning_of_.features;
}

at::Tensor LearnedNetwork::embeddings(const at::Tensor& images) const {
  const at::Tensor inputs[] = {frozen_part(images)};
  return learner().run(inputs)[0];
}

at::Tensor LearnedNetwork::layer_input(const std::string& name, const at::Tensor& images) const {
  const auto& all = parameters();
  const auto parameter = all.find(name);
  const bool can_be_layer =
      parameter != all.end() && (parameter->second.dim() == 2 || parameter->second.dim() == 4);
  if (!can_be_layer) return {};
  if (!recorded_.images.is_same(images)) {
    std::vector<std::string> layers;
    for (const auto& [other, tensor] : all) {
      if (tensor.dim() == 2 || tensor.dim() == 4) layers.push_back(other);
    }
    const c10::NoGradGuard no_grad;
    const at::Tensor inputs[] = {frozen_part(images)};
    recorded_ = {images, learner().run_recording(inputs, layers).layer_inputs};
  }
  return layer_columns(learner().graph(), name, recorded_.inputs.at(name));
}

void LearnedNetwork::refresh() {
  const auto weights = learner_ == nullptr ? weights_ : learner_->weights();
  scorer_ =
      make_engine(entry_.describe({.height_px = height_px_, .width_px = width_px_, .taps = {tap_}}),
                  weights, engine_options_);
  beginning_of_ = {};
  recorded_ = {};
}

at::Tensor LearnedNetwork::infer(const at::Tensor& images) const {
  const at::Tensor inputs[] = {images.contiguous()};
  return scorer_->run(inputs)[0];
}

void LearnedNetwork::save(const std::string& prefix, StatePiece& out) const {
  for (const auto& [name, parameter] : parameters()) {
    out.tensors[prefix + name] = parameter.detach().to(at::kCPU).contiguous().clone();
  }
}

void LearnedNetwork::load(const std::string& prefix, PieceReader& in) {
  const c10::NoGradGuard no_grad;
  for (const auto& [name, parameter] : parameters()) {
    const auto value = in.tensor(prefix + name);
    CADENZA_REQUIRE(value.sizes() == parameter.sizes(), ErrorCode::kCorruptData, "state: '", prefix,
                    name, "': expected ", parameter.sizes(), ", found ", value.sizes());
    at::Tensor(parameter).copy_(value);
  }
  refresh();
}

}  // namespace cadenza
