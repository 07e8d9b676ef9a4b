#include "cadenza/network/vit/vit.h"

#include <string>

#include "cadenza/base/error.h"

namespace cadenza {

namespace {

class Description {
 public:
  Description(const VitSpec& spec, const GraphRequest& request)
      : spec_(spec),
        request_(request),
        taps_(g_, request),
        rows_(request.height_px / spec.patch_px),
        columns_(request.width_px / spec.patch_px) {}

  Graph describe() {
    auto x = taps_.offer("embedding", embed(image_input(g_, request_)));
    for (int block = 0; block < spec_.depth; ++block) {
      x = this->block(x, block);
      const auto number = std::to_string(block);
      x = taps_.offer("tokens." + number, x);
      taps_.offer("cls." + number, class_token(x));
      taps_.offer("block." + number, grid(x));
    }
    x = taps_.offer("norm", layer_norm(g_, x, "norm"));
    x = taps_.offer("pre_logits", class_token(x));
    taps_.offer("logits", linear(g_, x, "head", spec_.n_classes));
    taps_.finish();
    return std::move(g_);
  }

 private:
  /// Patches [B,1+N,C], class token first, with their places added.
  GraphValue embed(GraphValue image) {
    const auto c = spec_.width;
    auto x =
        conv_bias(g_, image, "patch_embed.proj", c, spec_.patch_px, {.stride = spec_.patch_px});
    x = g_.permute(g_.reshape(x, {kBatch, c, rows_ * columns_}), {0, 2, 1});
    const auto native = spec_.size_px / spec_.patch_px;
    const auto position = g_.weight("pos_embed", {1, 1 + native * native, c});
    const auto class_position = g_.slice(position, 1, 0, 1);
    auto fitted = g_.slice(position, 1, 1, 1 + native * native);
    if (rows_ != native || columns_ != native) {
      const auto planes = g_.permute(g_.reshape(fitted, {1, native, native, c}), {0, 3, 1, 2});
      const auto resized = g_.resize(planes, rows_, columns_, ResizeFilter::kBicubic);
      fitted = g_.permute(g_.reshape(resized, {1, c, rows_ * columns_}), {0, 2, 1});
    }
    const auto cls = g_.add(g_.weight("cls_token", {1, 1, c}), class_position);
    return g_.concat({cls, g_.add(x, fitted)}, 1);
  }

  GraphValue block(GraphValue x, int index) {
    const auto c = spec_.width;
    const auto name = "blocks." + std::to_string(index) + ".";
    const auto qkv = linear(g_, layer_norm(g_, x, name + "norm1"), name + "attn.qkv", 3 * c);
    auto k = g_.slice(qkv, 2, c, 2 * c);
    auto v = g_.slice(qkv, 2, 2 * c, 3 * c);
    const int place = index - request_.prefix.first_block;
    if (place >= 0 && place < request_.prefix.n_blocks && request_.prefix.n_tokens > 0) {
      const auto prefix = "prefix." + std::to_string(index);
      k = g_.concat({g_.input(prefix + ".k", {kBatch, request_.prefix.n_tokens, c}), k}, 1);
      v = g_.concat({g_.input(prefix + ".v", {kBatch, request_.prefix.n_tokens, c}), v}, 1);
    }
    const auto mixed = g_.attention(g_.slice(qkv, 2, 0, c), k, v, spec_.n_heads);
    x = g_.add(x, linear(g_, mixed, name + "attn.proj", c));
    auto hidden = linear(g_, layer_norm(g_, x, name + "norm2"), name + "mlp.fc1", 4 * c);
    hidden = g_.activate(hidden, ActivationKind::kGelu);
    return g_.add(x, linear(g_, hidden, name + "mlp.fc2", c));
  }

  GraphValue class_token(GraphValue tokens) {
    return g_.reshape(g_.slice(tokens, 1, 0, 1), {kBatch, spec_.width});
  }

  GraphValue grid(GraphValue tokens) {
    const auto patches = g_.permute(g_.slice(tokens, 1, 1, 1 + rows_ * columns_), {0, 2, 1});
    return g_.reshape(patches, {kBatch, spec_.width, rows_, columns_});
  }

  const VitSpec& spec_;
  const GraphRequest& request_;
  Graph g_;
  TapCollector taps_;
  std::int64_t rows_, columns_;
};

}  // namespace

Graph describe_vit(const VitSpec& spec, GraphRequest request) {
  if (request.height_px == 0) request.height_px = spec.size_px;
  if (request.width_px == 0) request.width_px = spec.size_px;
  CADENZA_REQUIRE(request.height_px >= spec.patch_px && request.height_px % spec.patch_px == 0 &&
                      request.width_px >= spec.patch_px && request.width_px % spec.patch_px == 0,
                  ErrorCode::kInvalidArgument, "image ", request.height_px, "x", request.width_px,
                  ": expected multiples of the patch, ", spec.patch_px, " px");
  const auto& prefix = request.prefix;
  CADENZA_REQUIRE(prefix.first_block >= 0 && prefix.first_block + prefix.n_blocks <= spec.depth,
                  ErrorCode::kInvalidArgument, "prefix of ", prefix.n_blocks, " blocks from block ",
                  prefix.first_block, ": the network has ", spec.depth);
  return Description(spec, request).describe();
}

}  // namespace cadenza
