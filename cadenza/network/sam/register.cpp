#include "cadenza/network/registry.h"
#include "cadenza/network/sam/sam.h"

namespace cadenza {

namespace {

NetworkEntry entry(const std::string& name, const std::string& summary, const SamSpec& spec) {
  return {
      .name = name,
      .family = "sam",
      .summary = summary,
      .source = "Kirillov et al., ICCV 2023",
      .weights_license = "Apache-2.0 (Meta's checkpoints)",
      .weights_hint = "a Segment Anything checkpoint of your own: .pth or .safetensors",
      .size_px = spec.size_px,
      .describe = [spec](GraphRequest request) { return describe_sam(spec, std::move(request)); }};
}

}  // namespace

void register_sam(NetworkRegistry& registry) {
  registry.add(entry("sam_vit_b", "Segment Anything, ViT-B image encoder, 1024 px", sam_vit_b()));
  registry.add(entry("sam_vit_l", "Segment Anything, ViT-L image encoder, 1024 px", sam_vit_l()));
  registry.add(entry("sam_vit_h", "Segment Anything, ViT-H image encoder, 1024 px", sam_vit_h()));
  auto tiny = entry("sam_test", "two blocks, 32 wide, for tests; weights=random:SEED", sam_test());
  tiny.for_tests = true;
  registry.add(std::move(tiny));
}

}  // namespace cadenza
