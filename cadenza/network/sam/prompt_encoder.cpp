#include <numbers>

#include "cadenza/network/sam/pieces.h"

namespace cadenza {

namespace sam {

namespace {

constexpr std::int64_t kMaskChannels = 16;

const std::string kName = "prompt_encoder.";

}  // namespace

GraphValue fourier_positions(Graph& g, const SamSpec& spec, GraphValue points) {
  const auto frequencies =
      g.weight(kName + "pe_layer.positional_encoding_gaussian_matrix", {2, spec.embedding / 2});
  const auto centred = g.sub(g.mul(points, g.scalar(2)), g.scalar(1));
  const auto angles = g.mul(g.linear(centred, g.permute(frequencies, {1, 0}), {}),
                            g.scalar(2 * std::numbers::pi_v<float>));
  return g.concat({g.sin(angles), g.cos(angles)}, 2);
}

/// A padding point has no place: its whole embedding is learned.
GraphValue encode_points(Graph& g, const SamSpec& spec, GraphValue points, GraphValue kinds) {
  const auto row = [&](const std::string& name) {
    return g.weight(kName + name + ".weight", {1, spec.embedding});
  };
  std::vector<GraphValue> rows{row("not_a_point_embed")};
  for (int kind = 0; kind < 4; ++kind)
    rows.push_back(row("point_embeddings." + std::to_string(kind)));
  const auto learned = g.linear(kinds, g.permute(g.concat(rows, 0), {1, 0}), {});
  const auto has_place = g.sub(g.scalar(1), g.slice(kinds, 2, 0, 1));
  return g.add(g.mul(fourier_positions(g, spec, points), has_place), learned);
}

GraphValue encode_mask(Graph& g, const SamSpec& spec, GraphValue mask) {
  const auto shrink = [&](GraphValue x, int layer, std::int64_t channels) {
    const auto name = kName + "mask_downscaling.";
    x = conv_bias(g, x, name + std::to_string(layer), channels, 2, {.stride = 2});
    return g.activate(norm_channels(g, x, name + std::to_string(layer + 1)), ActivationKind::kGelu);
  };
  const auto small = shrink(shrink(mask, 0, kMaskChannels / 4), 3, kMaskChannels);
  return conv_bias(g, small, kName + "mask_downscaling.6", spec.embedding, 1, {});
}

GraphValue no_mask(Graph& g, const SamSpec& spec) {
  const auto row = g.weight(kName + "no_mask_embed.weight", {1, spec.embedding});
  return g.reshape(row, {1, spec.embedding, 1, 1});
}

}  // namespace sam

Graph describe_sam_positions(const SamSpec& spec, std::int64_t n_points) {
  Graph g;
  g.output("positions", sam::fourier_positions(g, spec, g.input("points", {kBatch, n_points, 2})));
  return g;
}

}  // namespace cadenza
