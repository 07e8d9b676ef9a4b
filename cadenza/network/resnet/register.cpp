#include "cadenza/network/registry.h"
#include "cadenza/network/resnet/resnet.h"

namespace cadenza {

namespace {

NetworkEntry entry(const std::string& name, const std::string& summary, const ResnetSpec& spec) {
  return {.name = name,
          .family = "resnet",
          .summary = summary,
          .source = "He et al., CVPR 2016; Zagoruyko and Komodakis, BMVC 2016",
          .weights_license = "that of your checkpoint (torchvision: BSD-3-Clause)",
          .weights_hint = "a torchvision or timm checkpoint of your own: .pth or .safetensors",
          .size_px = spec.size_px,
          .classifier = "fc.",
          .describe = [spec](GraphRequest request) {
            return describe_resnet(spec, std::move(request));
          }};
}

}  // namespace

void register_resnet(NetworkRegistry& registry) {
  registry.add(entry("resnet18", "ResNet-18",
                     {.depths = {2, 2, 2, 2}, .bottleneck = false, .inner_channels = 64}));
  registry.add(entry("resnet50", "ResNet-50", {}));
  registry.add(entry("wide_resnet50_2", "ResNet-50 with bottlenecks twice as wide",
                     {.inner_channels = 128}));
  auto tiny = entry(
      "resnet_test", "two narrow stages, for tests; weights=random:SEED",
      {.depths = {2, 1}, .stem_channels = 8, .inner_channels = 16, .size_px = 32, .n_classes = 10});
  tiny.for_tests = true;
  registry.add(std::move(tiny));
}

}  // namespace cadenza
