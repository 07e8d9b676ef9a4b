#include <algorithm>

#include "cadenza/base/error.h"
#include "cadenza/network/sam/pieces.h"

namespace cadenza {

namespace sam {

GraphValue norm_channels(Graph& g, GraphValue x, const std::string& name) {
  const auto cells = layer_norm(g, g.permute(x, {0, 2, 3, 1}), name);
  return g.permute(cells, {0, 3, 1, 2});
}

namespace {

constexpr int kMlpRatio = 4;

class Encoder {
 public:
  Encoder(Graph& g, const SamSpec& spec) : g_(g), spec_(spec), grid_(spec.grid()) {}

  GraphValue embed(GraphValue image) {
    const auto patches = conv_bias(g_, image, "image_encoder.patch_embed.proj", spec_.width,
                                   spec_.patch_px, {.stride = spec_.patch_px});
    const auto positions = g_.weight("image_encoder.pos_embed", {1, grid_, grid_, spec_.width});
    return g_.add(g_.permute(patches, {0, 2, 3, 1}), positions);
  }

  /// x [B,h,w,C].
  GraphValue block(GraphValue x, int index) {
    const auto name = "image_encoder.blocks." + std::to_string(index) + ".";
    x = g_.add(x, attend(layer_norm(g_, x, name + "norm1"), name + "attn.", index));
    auto hidden =
        linear(g_, layer_norm(g_, x, name + "norm2"), name + "mlp.lin1", kMlpRatio * spec_.width);
    hidden = g_.activate(hidden, ActivationKind::kGelu);
    return g_.add(x, linear(g_, hidden, name + "mlp.lin2", spec_.width));
  }

  GraphValue neck(GraphValue x) {
    const std::string name = "image_encoder.neck.";
    const auto c = spec_.embedding;
    x = g_.conv(x, g_.weight(name + "0.weight", {c, spec_.width, 1, 1}), {}, {});
    x = norm_channels(g_, x, name + "1");
    x = g_.conv(x, g_.weight(name + "2.weight", {c, c, 3, 3}), {}, {.pads = {1, 1, 1, 1}});
    return norm_channels(g_, x, name + "3");
  }

  GraphValue planes(GraphValue x) { return g_.permute(x, {0, 3, 1, 2}); }

 private:
  /// Windows that do not fit are filled up with zeros before q, k and v are made of them, so that
  /// real cells see the biases there: that is how it was trained.
  GraphValue attend(GraphValue x, const std::string& name, int index) {
    const bool is_global = std::ranges::count(spec_.global_blocks, index) > 0;
    const auto window = is_global ? 0 : spec_.window;
    const auto side = is_global ? grid_ : (grid_ + window - 1) / window * window;
    const auto c = spec_.width;
    x = g_.pad(g_.pad(x, 1, side - grid_), 2, side - grid_);
    const auto qkv = g_.reshape(linear(g_, x, name + "qkv", 3 * c), {kBatch, side * side, 3 * c});
    const auto table_rows = 2 * (is_global ? grid_ : window) - 1;
    const auto table = [&](const std::string& which) {
      return g_.weight(name + which, {table_rows, c / spec_.n_heads});
    };
    const auto mixed = g_.grid_attention(
        g_.slice(qkv, 2, 0, c), g_.slice(qkv, 2, c, 2 * c), g_.slice(qkv, 2, 2 * c, 3 * c),
        table("rel_pos_h"), table("rel_pos_w"),
        {.n_heads = spec_.n_heads, .rows = side, .columns = side, .window = window});
    auto cells = g_.reshape(mixed, {kBatch, side, side, c});
    if (side != grid_) cells = g_.slice(g_.slice(cells, 1, 0, grid_), 2, 0, grid_);
    return linear(g_, cells, name + "proj", c);
  }

  Graph& g_;
  const SamSpec& spec_;
  std::int64_t grid_;
};

}  // namespace

GraphValue encode_image(Graph& g, const SamSpec& spec, GraphValue image, TapCollector& taps) {
  Encoder encoder(g, spec);
  auto x = encoder.embed(image);
  for (int index = 0; index < spec.depth; ++index) {
    x = encoder.block(x, index);
    const auto planes = taps.offer("block." + std::to_string(index), encoder.planes(x));
    if (index + 1 == spec.depth) return taps.offer("embedding", encoder.neck(planes));
    x = g.permute(planes, {0, 2, 3, 1});
  }
  throw Error(ErrorCode::kInvalidArgument, "SAM image encoder: expected at least one block");
}

}  // namespace sam

}  // namespace cadenza
