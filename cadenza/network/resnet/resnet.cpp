#include "cadenza/network/resnet/resnet.h"

#include <string>

namespace cadenza {

namespace {

GraphValue unit(Graph& g, GraphValue x, const std::string& conv, const std::string& norm,
                std::int64_t channels, int kernel, int stride) {
  const int pad = kernel / 2;
  return conv_bn(g, x,
                 {.conv = conv,
                  .norm = norm,
                  .channels = channels,
                  .kernel = kernel,
                  .stride = stride,
                  .pads = {pad, pad, pad, pad}});
}

GraphValue residual_block(Graph& g, const ResnetSpec& spec, GraphValue x, const std::string& name,
                          std::int64_t inner, std::int64_t outer, int stride) {
  const auto relu = [&](GraphValue value) { return g.activate(value, ActivationKind::kRelu); };
  auto skip = x;
  if (stride != 1 || g.shape(x)[1] != outer) {
    skip = unit(g, x, name + "downsample.0", name + "downsample.1", outer, 1, stride);
  }
  if (spec.bottleneck) {
    x = relu(unit(g, x, name + "conv1", name + "bn1", inner, 1, 1));
    x = relu(unit(g, x, name + "conv2", name + "bn2", inner, 3, stride));
    x = unit(g, x, name + "conv3", name + "bn3", outer, 1, 1);
  } else {
    x = relu(unit(g, x, name + "conv1", name + "bn1", inner, 3, stride));
    x = unit(g, x, name + "conv2", name + "bn2", outer, 3, 1);
  }
  return relu(g.add(x, skip));
}

}  // namespace

Graph describe_resnet(const ResnetSpec& spec, GraphRequest request) {
  if (request.height_px == 0) request.height_px = spec.size_px;
  if (request.width_px == 0) request.width_px = spec.size_px;
  Graph g;
  TapCollector taps(g, request);
  auto x = unit(g, image_input(g, request), "conv1", "bn1", spec.stem_channels, 7, 2);
  x = g.activate(x, ActivationKind::kRelu);
  x = taps.offer("stem", g.pool(x, {.kind = PoolKind::kMax, .kernel = 3, .stride = 2, .pad = 1}));
  for (int stage = 0; stage < static_cast<int>(spec.depths.size()); ++stage) {
    const auto inner = std::int64_t{spec.inner_channels} << stage;
    const auto outer = (std::int64_t{spec.stem_channels} << stage) * (spec.bottleneck ? 4 : 1);
    const auto number = std::to_string(stage + 1);
    for (int block = 0; block < spec.depths[stage]; ++block) {
      const auto name = "layer" + number + "." + std::to_string(block) + ".";
      x = residual_block(g, spec, x, name, inner, outer, block == 0 && stage > 0 ? 2 : 1);
      x = taps.offer("s" + number + "b" + std::to_string(block + 1), x);
    }
    x = taps.offer("stage." + number, x);
  }
  x = taps.offer("pooled", g.global_mean(x));
  taps.offer("logits", linear(g, x, "fc", spec.n_classes));
  taps.finish();
  return g;
}

}  // namespace cadenza
