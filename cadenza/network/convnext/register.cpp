#include "cadenza/network/convnext/convnext.h"
#include "cadenza/network/convnext/import.h"
#include "cadenza/network/registry.h"

namespace cadenza {

namespace {

NetworkEntry entry(const std::string& name, const std::string& summary, const ConvnextSpec& spec) {
  return {.name = name,
          .family = "convnext",
          .summary = summary,
          .source = "Liu et al., CVPR 2022",
          .weights_license = "that of your checkpoint (Meta: MIT; timm: Apache-2.0)",
          .weights_hint = "a checkpoint of your own, Meta's or timm's: .pth or .safetensors",
          .size_px = spec.size_px,
          .translate = translate_convnext,
          .classifier = "head.fc.",
          .describe = [spec](GraphRequest request) {
            return describe_convnext(spec, std::move(request));
          }};
}

}  // namespace

void register_convnext(NetworkRegistry& registry) {
  registry.add(entry("convnext_tiny", "ConvNeXt-T",
                     {.depths = {3, 3, 9, 3}, .widths = {96, 192, 384, 768}}));
  registry.add(entry("convnext_small", "ConvNeXt-S", {.widths = {96, 192, 384, 768}}));
  registry.add(entry("convnext_base", "ConvNeXt-B", {}));
  registry.add(entry("convnext_large", "ConvNeXt-L", {.widths = {192, 384, 768, 1536}}));
  auto tiny = entry("convnext_test", "two narrow stages, for tests; weights=random:SEED",
                    {.depths = {1, 2}, .widths = {16, 32}, .size_px = 32, .n_classes = 10});
  tiny.for_tests = true;
  registry.add(std::move(tiny));
}

}  // namespace cadenza
