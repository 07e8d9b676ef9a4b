#include "cadenza/base/error.h"
#include "cadenza/method/embedding_method.h"
#include "cadenza/method/registry.h"

namespace cadenza {

namespace {

MethodInfo facts() {
  MethodInfo info;
  info.name = "panda";
  info.summary = "embeddings drawn towards the step's centre, and a Gaussian of the latest step";
  info.source = "Reiss et al., PANDA, CVPR 2021; as in the DNE program";
  info.input.resampler = Resampler::kPillowBicubic;
  info.makes_map = false;
  info.shares_parameters = true;
  info.learns_from_scratch = false;
  info.network = "efficientnet_lite0";
  return info;
}

}  // namespace

void register_panda(MethodRegistry& registry) {
  registry.add({.name = "panda",
                .info = facts(),
                .options = embedding_options({.scorer = "gauss_current"}, false),
                .bibtex =
                    "@inproceedings{reiss2021panda, title={PANDA: Adapting Pretrained Features for "
                    "Anomaly Detection and Segmentation}, author={Reiss, Tal and Cohen, Niv and "
                    "Bergman, Liron and Hoshen, Yedid}, booktitle={CVPR}, year={2021}}",
                .tiny = tiny_embedding_options(),
                .make = [](const Options& options,
                           const NetworkEnvironment& environment) -> std::unique_ptr<Method> {
                  return std::make_unique<EmbeddingMethod>(facts(), options, environment,
                                                           make_compact_objective());
                }});
}

}  // namespace cadenza
