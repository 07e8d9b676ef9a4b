#include "cadenza/network/registry.h"
#include "cadenza/network/vit/import.h"
#include "cadenza/network/vit/vit.h"

namespace cadenza {

namespace {

NetworkEntry entry(const std::string& name, const std::string& summary, const VitSpec& spec) {
  return {
      .name = name,
      .family = "vit",
      .summary = summary,
      .source = "Dosovitskiy et al., ICLR 2021",
      .weights_license = "that of your checkpoint (timm, augreg: Apache-2.0)",
      .weights_hint = "a checkpoint of your own: timm's .safetensors or .pth, Google's .npz",
      .size_px = spec.size_px,
      .mean = {0.5F, 0.5F, 0.5F},
      .stddev = {0.5F, 0.5F, 0.5F},
      .translate = [spec](const Checkpoint& published) { return translate_vit(spec, published); },
      .classifier = "head.",
      .unused_keys = {"pre_logits.**", "pre_logits/**"},
      .describe = [spec](GraphRequest request) { return describe_vit(spec, std::move(request)); }};
}

}  // namespace

void register_vit(NetworkRegistry& registry) {
  registry.add(entry("vit_tiny_patch16", "ViT-T/16 at 224 px", {.width = 192, .n_heads = 3}));
  registry.add(entry("vit_small_patch16", "ViT-S/16 at 224 px", {.width = 384, .n_heads = 6}));
  registry.add(
      entry("vit_small_patch8", "ViT-S/8 at 224 px", {.width = 384, .n_heads = 6, .patch_px = 8}));
  registry.add(entry("vit_base_patch16", "ViT-B/16 at 224 px", {}));
  registry.add(entry("vit_base_patch8", "ViT-B/8 at 224 px", {.patch_px = 8}));
  auto tiny =
      entry("vit_test", "two blocks, 32 wide, for tests; weights=random:SEED",
            {.width = 32, .depth = 2, .n_heads = 2, .patch_px = 8, .size_px = 32, .n_classes = 10});
  tiny.for_tests = true;
  registry.add(std::move(tiny));
}

}  // namespace cadenza
