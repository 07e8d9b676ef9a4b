#include "cadenza/method/csflow/cross_scale_flow.h"
#include "cadenza/method/feature_method.h"
#include "cadenza/method/registry.h"

namespace cadenza {

namespace {

/// Those of the released program, where it has them.
FeatureDefaults defaults() {
  return {.taps = "stage.5",
          .size_px = 256,
          .epochs = 50,
          .batch = 16,
          .learning_rate = 2e-4,
          .epsilon = 1e-4,
          .weight_decay = 1e-5,
          .clip_norm = 1,
          .beta1 = 0.8,
          .beta2 = 0.9};
}

MethodInfo facts() {
  MethodInfo info;
  info.name = "csflow";
  info.summary = "the likelihood of a frozen network's features under a flow across three scales";
  info.source =
      "Rudolph et al., Fully Convolutional Cross-Scale-Flows for Image-based Defect Detection, "
      "WACV 2022, section 3";
  info.input.resampler = Resampler::kPillowBicubic;
  info.shares_parameters = true;
  info.learns_from_scratch = false;
  info.network = "efficientnet_lite0";
  return info;
}

std::vector<OptionSpec> options() {
  auto all = feature_options(defaults());
  all.push_back(integer_option("scales", 3, 1, 6, "sizes of the image, each half the one before"));
  all.push_back(integer_option("blocks", 4, 1, 64, "coupling blocks"));
  all.push_back(integer_option("hidden", 1024, 1, 65536, "channels inside a coupling"));
  all.push_back(real_option("clamp", 3, 0.01, 100, "largest logarithm of a coupling's scale"));
  return all;
}

}  // namespace

void register_csflow(MethodRegistry& registry) {
  registry.add(
      {.name = "csflow",
       .info = facts(),
       .options = options(),
       .bibtex = "@inproceedings{rudolph2022fully, title={Fully Convolutional Cross-Scale-Flows "
                 "for Image-based Defect Detection}, author={Rudolph, Marco and Wehrbein, Tom and "
                 "Rosenhahn, Bodo and Wandt, Bastian}, booktitle={WACV}, year={2022}}",
       .tiny = {{"network", "resnet_test"},
                {"weights", "random:5"},
                {"taps", "stage.2"},
                {"size", "32"},
                {"scales", "3"},
                {"blocks", "2"},
                {"hidden", "8"},
                {"epochs", "2"},
                {"batch", "8"}},
       .make = [](const Options& given,
                  const NetworkEnvironment& environment) -> std::unique_ptr<Method> {
         const CrossScaleFlowSpec spec{.n_blocks = given.integer("blocks"),
                                       .hidden = given.integer("hidden"),
                                       .clamp = given.real("clamp")};
         return std::make_unique<FeatureMethod>(
             facts(), defaults(), given, environment,
             FeatureSource{.taps = parse_taps(given), .n_sizes = given.integer("scales")},
             [spec](const auto& shapes, at::Device device) {
               return std::make_unique<CrossScaleFlow>(spec, shapes, device);
             });
       }});
}

}  // namespace cadenza
