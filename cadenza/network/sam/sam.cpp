#include "cadenza/network/sam/sam.h"

#include <functional>
#include <map>
#include <vector>

#include "cadenza/base/error.h"
#include "cadenza/base/suggest.h"
#include "cadenza/network/sam/pieces.h"

namespace cadenza {

SamSpec sam_vit_b() { return {}; }

SamSpec sam_vit_l() {
  return {.width = 1024, .depth = 24, .n_heads = 16, .global_blocks = {5, 11, 17, 23}};
}

SamSpec sam_vit_h() {
  return {.width = 1280, .depth = 32, .n_heads = 16, .global_blocks = {7, 15, 23, 31}};
}

SamSpec sam_test() {
  return {.width = 32,
          .depth = 2,
          .n_heads = 2,
          .global_blocks = {1},
          .window = 4,
          .patch_px = 8,
          .size_px = 72,
          .embedding = 32,
          .decoder_heads = 2,
          .decoder_hidden = 64};
}

SamSpec find_sam(std::string_view name) {
  const std::map<std::string, SamSpec, std::less<>> known{{"sam_vit_b", sam_vit_b()},
                                                          {"sam_vit_l", sam_vit_l()},
                                                          {"sam_vit_h", sam_vit_h()},
                                                          {"sam_test", sam_test()}};
  const auto found = known.find(name);
  std::vector<std::string> names;
  for (const auto& [one, spec] : known) names.push_back(one);
  CADENZA_REQUIRE(found != known.end(), ErrorCode::kNotFound,
                  unknown_name_message("SAM network", name, names));
  return found->second;
}

Graph describe_sam(const SamSpec& spec, GraphRequest request) {
  if (request.height_px == 0) request.height_px = spec.size_px;
  if (request.width_px == 0) request.width_px = spec.size_px;
  CADENZA_REQUIRE(request.height_px == spec.size_px && request.width_px == spec.size_px,
                  ErrorCode::kInvalidArgument, "image ", request.height_px, "x", request.width_px,
                  ": SAM's encoder takes ", spec.size_px, "x", spec.size_px,
                  "; resize the longer side and pad the other");
  CADENZA_REQUIRE(request.prefix.n_blocks == 0 || request.prefix.n_tokens == 0,
                  ErrorCode::kInvalidArgument,
                  "prefix prompts: SAM's encoder takes none; use a vit network");
  Graph g;
  TapCollector taps(g, request);
  const auto embedding = sam::encode_image(g, spec, image_input(g, request), taps);

  const auto n_cells = spec.grid() * spec.grid();
  const auto points = g.input("points", {kBatch, 2, 2});
  const auto kinds = g.input("kinds", {kBatch, 2, kSamPointKinds});
  const auto sparse = taps.offer("sparse", sam::encode_points(g, spec, points, kinds));
  const auto mask = g.input("mask", {kBatch, 1, spec.mask_px(), spec.mask_px()});
  const auto has_mask = g.input("has_mask", {kBatch, 1, 1, 1});
  const auto dense = g.add(g.mul(sam::encode_mask(g, spec, mask), has_mask),
                           g.mul(sam::no_mask(g, spec), g.sub(g.scalar(1), has_mask)));
  const auto positions = sam::fourier_positions(g, spec, g.input("places", {1, n_cells, 2}));
  const auto decoded = sam::decode_masks(g, spec, embedding, positions, sparse, dense);
  taps.offer("masks", decoded.masks);
  taps.offer("iou", decoded.iou);
  taps.finish();
  return g;
}

Graph describe_sam_whole(const SamSpec& spec) {
  return describe_sam(spec, {.taps = {"masks", "iou"}});
}

}  // namespace cadenza
