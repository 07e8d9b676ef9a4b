#include "cadenza/base/error.h"
#include "cadenza/network/sam/pieces.h"

namespace cadenza {

namespace sam {

namespace {

constexpr std::int64_t kMasks = 4;
constexpr int kLayers = 2;
constexpr float kTokenEpsilon = 1e-5F;  // of the decoder's layer norms; those of images have 1e-6

/// Tokens (what is asked) and cells (the image) look at each other twice, then the tokens once
/// more.
class Decoder {
 public:
  Decoder(Graph& g, const SamSpec& spec, GraphValue positions)
      : g_(g), spec_(spec), positions_(positions) {}

  DecodedMasks decode(GraphValue embedding, GraphValue sparse, GraphValue dense) {
    const auto c = spec_.embedding, grid = spec_.grid();
    const auto asked = tokens(sparse);
    auto image = g_.add(embedding, dense);
    const auto batch = g_.shape(image)[0];
    auto cells = g_.permute(g_.reshape(image, {batch, c, grid * grid}), {0, 2, 1});
    auto queries = asked;
    for (int layer = 0; layer < kLayers; ++layer) look(queries, cells, asked, layer);
    const auto last = attend(g_.add(queries, asked), g_.add(cells, positions_), cells,
                             "transformer.final_attn_token_to_image", 2);
    queries = norm(g_.add(queries, last), "transformer.norm_final_attn");

    const auto planes = g_.reshape(g_.permute(cells, {0, 2, 1}), {kBatch, c, grid, grid});
    return {masks(queries, planes), mlp(token(queries, 0), "iou_prediction_head", {c, c, kMasks})};
  }

 private:
  std::string name(const std::string& part) const { return "mask_decoder." + part; }

  GraphValue norm(GraphValue x, const std::string& part) {
    return layer_norm(g_, x, name(part), kTokenEpsilon);
  }

  /// [B,5+n,C]: the one that will tell quality, those of the masks, those of the prompt.
  GraphValue tokens(GraphValue sparse) {
    const auto c = spec_.embedding;
    const auto own = g_.concat({g_.weight(name("iou_token.weight"), {1, c}),
                                g_.weight(name("mask_tokens.weight"), {kMasks, c})},
                               0);
    const auto first = g_.reshape(own, {1, 1 + kMasks, c});
    return sparse.defined() ? g_.concat({first, sparse}, 1) : first;
  }

  GraphValue attend(GraphValue q, GraphValue k, GraphValue v, const std::string& part,
                    std::int64_t shrink) {
    const auto inner = spec_.embedding / shrink;
    const auto project = [&](GraphValue x, const std::string& which) {
      return linear(g_, x, name(part + which), inner);
    };
    const auto mixed = g_.attention(project(q, ".q_proj"), project(k, ".k_proj"),
                                    project(v, ".v_proj"), spec_.decoder_heads);
    return linear(g_, mixed, name(part + ".out_proj"), spec_.embedding);
  }

  void look(GraphValue& queries, GraphValue& cells, GraphValue asked, int layer) {
    const auto part = "transformer.layers." + std::to_string(layer) + ".";
    if (layer == 0) {
      queries = attend(queries, queries, queries, part + "self_attn", 1);
    } else {
      const auto placed = g_.add(queries, asked);
      queries = g_.add(queries, attend(placed, placed, queries, part + "self_attn", 1));
    }
    queries = norm(queries, part + "norm1");
    queries = g_.add(queries, attend(g_.add(queries, asked), g_.add(cells, positions_), cells,
                                     part + "cross_attn_token_to_image", 2));
    queries = norm(queries, part + "norm2");
    auto hidden = linear(g_, queries, name(part + "mlp.lin1"), spec_.decoder_hidden);
    hidden = g_.activate(hidden, ActivationKind::kRelu);
    queries = g_.add(queries, linear(g_, hidden, name(part + "mlp.lin2"), spec_.embedding));
    queries = norm(queries, part + "norm3");
    cells = g_.add(cells, attend(g_.add(cells, positions_), g_.add(queries, asked), queries,
                                 part + "cross_attn_image_to_token", 2));
    cells = norm(cells, part + "norm4");
  }

  GraphValue token(GraphValue tokens, std::int64_t index) {
    return g_.reshape(g_.slice(tokens, 1, index, index + 1), {kBatch, spec_.embedding});
  }

  GraphValue mlp(GraphValue x, const std::string& part, const std::vector<std::int64_t>& widths) {
    for (std::size_t layer = 0; layer < widths.size(); ++layer) {
      x = linear(g_, x, name(part + ".layers." + std::to_string(layer)), widths[layer]);
      if (layer + 1 < widths.size()) x = g_.activate(x, ActivationKind::kRelu);
    }
    return x;
  }

  GraphValue enlarge(GraphValue x, int layer, std::int64_t channels) {
    const auto part = name("output_upscaling." + std::to_string(layer));
    const auto w = g_.weight(part + ".weight", {g_.shape(x)[1], channels, 2, 2});
    return g_.transposed_conv(x, w, g_.weight(part + ".bias", {channels}), {.stride = 2});
  }

  /// Each mask token becomes the weights of a 1x1 convolution over the enlarged planes.
  GraphValue masks(GraphValue queries, GraphValue planes) {
    const auto c = spec_.embedding, side = spec_.mask_px();
    auto x = norm_channels(g_, enlarge(planes, 0, c / 4), name("output_upscaling.1"));
    x = enlarge(g_.activate(x, ActivationKind::kGelu), 3, c / 8);
    x = g_.reshape(g_.activate(x, ActivationKind::kGelu), {kBatch, c / 8, side * side});
    std::vector<GraphValue> rows;
    for (std::int64_t mask = 0; mask < kMasks; ++mask) {
      const auto part = "output_hypernetworks_mlps." + std::to_string(mask);
      rows.push_back(
          g_.reshape(mlp(token(queries, 1 + mask), part, {c, c, c / 8}), {kBatch, 1, c / 8}));
    }
    return g_.reshape(g_.matmul(g_.concat(rows, 1), x), {kBatch, kMasks, side, side});
  }

  Graph& g_;
  const SamSpec& spec_;
  GraphValue positions_;
};

}  // namespace

DecodedMasks decode_masks(Graph& g, const SamSpec& spec, GraphValue embedding, GraphValue positions,
                          GraphValue sparse, GraphValue dense) {
  return Decoder(g, spec, positions).decode(embedding, sparse, dense);
}

}  // namespace sam

Graph describe_sam_decoder(const SamSpec& spec, const SamPrompt& prompt) {
  CADENZA_REQUIRE(prompt.n_points > 0 || prompt.with_mask, ErrorCode::kInvalidArgument,
                  "SAM prompt: expected points, a box or a mask, found none of them");
  Graph g;
  const auto c = spec.embedding, grid = spec.grid();
  const auto embedding = g.input("embedding", {1, c, grid, grid});
  const auto positions = g.input("positions", {1, grid * grid, c});
  GraphValue sparse;
  if (prompt.n_points > 0) {
    const auto points = g.input("points", {kBatch, prompt.n_points, 2});
    sparse = sam::encode_points(g, spec, points,
                                g.input("kinds", {kBatch, prompt.n_points, kSamPointKinds}));
    g.output("sparse", sparse);
  }
  const auto dense =
      prompt.with_mask
          ? sam::encode_mask(g, spec, g.input("mask", {kBatch, 1, spec.mask_px(), spec.mask_px()}))
          : sam::no_mask(g, spec);
  g.output("dense", dense);
  const auto decoded = sam::decode_masks(g, spec, embedding, positions, sparse, dense);
  g.output("masks", decoded.masks);
  g.output("iou", decoded.iou);
  return g;
}

}  // namespace cadenza
