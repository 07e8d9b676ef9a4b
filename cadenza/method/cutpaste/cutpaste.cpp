#include "cadenza/base/error.h"
#include "cadenza/method/embedding_method.h"
#include "cadenza/method/registry.h"

namespace cadenza {

namespace {

MethodInfo facts() {
  MethodInfo info;
  info.name = "cutpaste";
  info.summary =
      "normal or CutPaste, and a Gaussian of the latest step alone: the lower bound of dne";
  info.source = "Li et al., CutPaste, CVPR 2021; as in the DNE program";
  info.input.resampler = Resampler::kPillowBicubic;
  info.makes_map = false;
  info.shares_parameters = true;
  info.learns_from_scratch = false;
  info.network = "efficientnet_lite0";
  return info;
}

}  // namespace

void register_cutpaste(MethodRegistry& registry) {
  registry.add(
      {.name = "cutpaste",
       .info = facts(),
       .options = embedding_options({.scorer = "gauss_current", .fix_head = "none"}, true),
       .bibtex = "@inproceedings{li2021cutpaste, title={CutPaste: Self-Supervised Learning for "
                 "Anomaly Detection and Localization}, author={Li, Chun-Liang and Sohn, Kihyuk and "
                 "Yoon, Jinsung and Pfister, Tomas}, booktitle={CVPR}, year={2021}}",
       .tiny = tiny_embedding_options(),
       .make = [](const Options& options,
                  const NetworkEnvironment& environment) -> std::unique_ptr<Method> {
         return std::make_unique<EmbeddingMethod>(
             facts(), options, environment,
             make_pair_objective(pair_loss(options), options.flag("random_aug")));
       }});
}

}  // namespace cadenza
