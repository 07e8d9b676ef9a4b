#include "cadenza/network/convnext/convnext.h"

#include <string>

namespace cadenza {

namespace {

/// Layer norm over channels of [B,C,H,W].
GraphValue norm_planes(Graph& g, GraphValue x, const std::string& name) {
  return g.permute(layer_norm(g, g.permute(x, {0, 2, 3, 1}), name), {0, 3, 1, 2});
}

/// Works in NHWC between the convolutions, where every layer is a matrix product.
GraphValue convnext_block(Graph& g, const Injection& inject, GraphValue x, int stage, int block) {
  const auto c = g.shape(x)[1];
  const auto name = "stages." + std::to_string(stage) + ".blocks." + std::to_string(block) + ".";
  const InjectionSite site{"s" + std::to_string(stage + 1) + "b" + std::to_string(block + 1),
                           stage + 1,
                           block + 1,
                           g.shape(x),
                           {c, 1, 7, 7}};
  if (inject.block_input) x = inject.block_input(g, site, x);
  std::function<GraphValue(GraphValue)> edit;
  if (inject.kernel) edit = [&](GraphValue kernel) { return inject.kernel(g, site, kernel); };
  auto y = conv_bias(g, x, name + "conv_dw", c, 7, {.pads = {3, 3, 3, 3}, .groups = c}, edit);
  y = layer_norm(g, g.permute(y, {0, 2, 3, 1}), name + "norm");
  y = g.activate(linear(g, y, name + "mlp.fc1", 4 * c), ActivationKind::kGelu);
  y = g.mul(linear(g, y, name + "mlp.fc2", c), g.weight(name + "gamma", {c}, WeightInit::kOne));
  return g.add(x, g.permute(y, {0, 3, 1, 2}));
}

}  // namespace

Graph describe_convnext(const ConvnextSpec& spec, GraphRequest request) {
  if (request.height_px == 0) request.height_px = spec.size_px;
  if (request.width_px == 0) request.width_px = spec.size_px;
  Graph g;
  TapCollector taps(g, request);
  auto x = conv_bias(g, image_input(g, request), "stem.0", spec.widths[0], 4, {.stride = 4});
  x = taps.offer("stem", norm_planes(g, x, "stem.1"));
  for (int stage = 0; stage < static_cast<int>(spec.depths.size()); ++stage) {
    const auto number = std::to_string(stage + 1);
    if (stage > 0) {
      const auto name = "stages." + std::to_string(stage) + ".downsample.";
      x = conv_bias(g, norm_planes(g, x, name + "0"), name + "1", spec.widths[stage], 2,
                    {.stride = 2});
      x = taps.offer("downsample." + number, x);
    }
    for (int block = 0; block < spec.depths[stage]; ++block) {
      x = convnext_block(g, request.injection, x, stage, block);
      x = taps.offer("s" + number + "b" + std::to_string(block + 1), x);
    }
    x = taps.offer("stage." + number, x);
  }
  x = taps.offer("pooled", layer_norm(g, g.global_mean(x), "head.norm"));
  taps.offer("logits", linear(g, x, "head.fc", spec.n_classes));
  taps.finish();
  return g;
}

}  // namespace cadenza
