#include "cadenza/base/error.h"
#include "cadenza/method/embedding_method.h"
#include "cadenza/method/registry.h"

namespace cadenza {

namespace {

MethodInfo facts() {
  MethodInfo info;
  info.name = "dne";
  info.summary = "normal or CutPaste, and one Gaussian over all tasks from their kept statistics";
  info.source =
      "Li et al., Towards Continual Adaptation in Industrial Anomaly Detection, ACM MM "
      "2022, section 3";
  info.input.resampler = Resampler::kPillowBicubic;
  info.makes_map = false;
  info.shares_parameters = true;
  info.learns_from_scratch = false;
  info.network = "efficientnet_lite0";
  return info;
}

}  // namespace

void register_dne(MethodRegistry& registry) {
  registry.add(
      {.name = "dne",
       .info = facts(),
       .options = embedding_options({}, true),
       .bibtex = "@inproceedings{li2022towards, title={Towards Continual Adaptation in Industrial "
                 "Anomaly Detection}, author={Li, Wujin and Zhan, Jiawei and Wang, Jinbao and Xia, "
                 "Bizhong and Gao, Bin-Bin and Liu, Jun and Wang, Chengjie and Zheng, Feng}, "
                 "booktitle={ACM Multimedia}, year={2022}}",
       .tiny = tiny_embedding_options(),
       .make = [](const Options& options,
                  const NetworkEnvironment& environment) -> std::unique_ptr<Method> {
         return std::make_unique<EmbeddingMethod>(
             facts(), options, environment,
             make_pair_objective(pair_loss(options), options.flag("random_aug")));
       }});
}

}  // namespace cadenza
