#include "cadenza/network/convnext/convnext.h"

#include <string>

namespace cadenza {

namespace {

/// Features both ways: planes [B,C,H,W] for convolutions and taps, rows [B,H*W,C] for everything
/// else, which is arithmetic on channels. Three axes on purpose: of four, OpenVINO takes rows for
/// planes and turns memory around at every layer, a tenth of a ConvNeXt-B's time.
///
/// Each is recorded from the other where it is first asked for.
class Features {
 public:
  static Features of_planes(const Graph& g, GraphValue planes) {
    return {planes, {}, g.shape(planes)[2]};
  }
  static Features of_rows(GraphValue rows, std::int64_t height) { return {{}, rows, height}; }

  GraphValue planes(Graph& g) {
    if (planes_.defined()) return planes_;
    const auto shape = g.shape(rows_);
    const auto grid = g.reshape(rows_, {kBatch, height_, shape[1] / height_, shape[2]});
    return planes_ = g.permute(grid, {0, 3, 1, 2});
  }
  GraphValue rows(Graph& g) {
    if (rows_.defined()) return rows_;
    const auto shape = g.shape(planes_);
    return rows_ =
               g.reshape(g.permute(planes_, {0, 2, 3, 1}), {kBatch, shape[2] * shape[3], shape[1]});
  }
  std::int64_t height() const { return height_; }

  /// What a tap or a method made of planes(): often nothing, and then rows() stay known.
  void replace_planes(const Graph& g, GraphValue planes) {
    if (planes.node != planes_.node) *this = of_planes(g, planes);
  }

 private:
  Features(GraphValue planes, GraphValue rows, std::int64_t height)
      : planes_(planes), rows_(rows), height_(height) {}

  GraphValue planes_, rows_;
  std::int64_t height_;
};

/// Layer norm over channels.
Features norm(Graph& g, Features x, const std::string& name) {
  return Features::of_rows(layer_norm(g, x.rows(g), name), x.height());
}

Features convnext_block(Graph& g, const Injection& inject, Features x, int stage, int block) {
  const auto c = g.shape(x.planes(g))[1];
  const auto name = "stages." + std::to_string(stage) + ".blocks." + std::to_string(block) + ".";
  const InjectionSite site{"s" + std::to_string(stage + 1) + "b" + std::to_string(block + 1),
                           stage + 1,
                           block + 1,
                           g.shape(x.planes(g)),
                           {c, 1, 7, 7}};
  if (inject.block_input) x.replace_planes(g, inject.block_input(g, site, x.planes(g)));
  std::function<GraphValue(GraphValue)> edit;
  if (inject.kernel) edit = [&](GraphValue kernel) { return inject.kernel(g, site, kernel); };
  auto mixed = Features::of_planes(g, conv_bias(g, x.planes(g), name + "conv_dw", c, 7,
                                                {.pads = {3, 3, 3, 3}, .groups = c}, edit));
  auto y = norm(g, mixed, name + "norm").rows(g);
  y = g.activate(linear(g, y, name + "mlp.fc1", 4 * c), ActivationKind::kGelu);
  y = g.mul(linear(g, y, name + "mlp.fc2", c), g.weight(name + "gamma", {c}, WeightInit::kOne));
  return Features::of_rows(g.add(x.rows(g), y), x.height());
}

}  // namespace

Graph describe_convnext(const ConvnextSpec& spec, GraphRequest request) {
  if (request.height_px == 0) request.height_px = spec.size_px;
  if (request.width_px == 0) request.width_px = spec.size_px;
  Graph g;
  TapCollector taps(g, request);
  const auto offer = [&](const std::string& name, Features& x) {
    x.replace_planes(g, taps.offer(name, x.planes(g)));
  };
  auto x = Features::of_planes(
      g, conv_bias(g, image_input(g, request), "stem.0", spec.widths[0], 4, {.stride = 4}));
  x = norm(g, x, "stem.1");
  offer("stem", x);
  for (int stage = 0; stage < static_cast<int>(spec.depths.size()); ++stage) {
    const auto number = std::to_string(stage + 1);
    if (stage > 0) {
      const auto name = "stages." + std::to_string(stage) + ".downsample.";
      x = norm(g, x, name + "0");
      x = Features::of_planes(
          g, conv_bias(g, x.planes(g), name + "1", spec.widths[stage], 2, {.stride = 2}));
      offer("downsample." + number, x);
    }
    for (int block = 0; block < spec.depths[stage]; ++block) {
      x = convnext_block(g, request.injection, x, stage, block);
      offer("s" + number + "b" + std::to_string(block + 1), x);
    }
    offer("stage." + number, x);
  }
  const auto pooled = taps.offer("pooled", layer_norm(g, g.global_mean(x.planes(g)), "head.norm"));
  taps.offer("logits", linear(g, pooled, "head.fc", spec.n_classes));
  taps.finish();
  return g;
}

}  // namespace cadenza
