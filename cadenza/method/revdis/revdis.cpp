#include "cadenza/method/feature_method.h"
#include "cadenza/method/registry.h"
#include "cadenza/method/revdis/reverse_student.h"

namespace cadenza {

namespace {

FeatureDefaults defaults() {
  return {.taps = "stage.2,stage.3,stage.5",
          .size_px = 256,
          .epochs = 50,
          .batch = 16,
          .learning_rate = 5e-3,
          .beta1 = 0.5,
          .beta2 = 0.999};
}

MethodInfo facts() {
  MethodInfo info;
  info.name = "revdis";
  info.summary = "a student gives a frozen network's features back from a narrow code of them";
  info.source =
      "Deng & Li, Anomaly Detection via Reverse Distillation from One-Class Embedding, CVPR 2022, "
      "sections 3.2 and 3.3";
  info.input.resampler = Resampler::kPillowBicubic;
  info.shares_parameters = true;
  info.learns_from_scratch = false;
  info.network = "efficientnet_lite0";
  return info;
}

std::vector<OptionSpec> options() {
  auto all = feature_options(defaults());
  all.push_back(integer_option("blocks", 2, 1, 64, "residual blocks a scale"));
  all.push_back(real_option("blur", 4, 0, 100, "deviation of the blur over the map, in pixels"));
  return all;
}

}  // namespace

void register_revdis(MethodRegistry& registry) {
  registry.add(
      {.name = "revdis",
       .info = facts(),
       .options = options(),
       .bibtex = "@inproceedings{deng2022anomaly, title={Anomaly Detection via Reverse "
                 "Distillation from One-Class Embedding}, author={Deng, Hanqiu and Li, Xingyu}, "
                 "booktitle={CVPR}, year={2022}}",
       .tiny = {{"network", "resnet_test"},
                {"weights", "random:5"},
                {"taps", "stage.1,stage.2"},
                {"size", "32"},
                {"blocks", "1"},
                {"blur", "1"},
                {"epochs", "2"},
                {"batch", "8"}},
       .make = [](const Options& given,
                  const NetworkEnvironment& environment) -> std::unique_ptr<Method> {
         const ReverseStudentSpec spec{.n_blocks = given.integer("blocks"),
                                       .blur_px = given.real("blur")};
         return std::make_unique<FeatureMethod>(
             facts(), defaults(), given, environment, FeatureSource{.taps = parse_taps(given)},
             [spec, size_px = given.integer("size")](const auto& shapes, at::Device device) {
               return std::make_unique<ReverseStudent>(spec, shapes, size_px, device);
             });
       }});
}

}  // namespace cadenza
