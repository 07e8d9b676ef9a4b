#include "cadenza/base/error.h"
#include "cadenza/method/registry.h"
#include "cadenza/method/ucad/ucad.h"

namespace cadenza {
namespace {

MethodInfo facts(const Options& options, const NetworkEntry& network) {
  MethodInfo info;
  info.name = "ucad";
  info.summary = "a prompt, keys and patches of normals a product beside one frozen ViT";
  info.source =
      "Liu et al., Unsupervised Continual Anomaly Detection with Contrastively-learned Prompt, "
      "AAAI 2024, section 3";
  info.input = ucad_input(options, network);
  info.picks_task = info.isolates_tasks = info.calibrates = true;
  info.joins_epochs = true;
  info.network = network.name;
  return info;
}

std::unique_ptr<Method> make(const Options& options, const NetworkEnvironment& environment) {
  const NetworkEntry network = builtin_networks().find(options.text("network"));
  return std::make_unique<Ucad>(facts(options, network), read_ucad_settings(options, network),
                                environment);
}

}  // namespace

void register_ucad(MethodRegistry& registry) {
  const auto options = ucad_options();
  const Options defaults("method 'ucad'", options, {});
  registry.add(
      {.name = "ucad",
       .info = facts(defaults, builtin_networks().find(defaults.text("network"))),
       .options = options,
       .bibtex = "@inproceedings{liu2024unsupervised, title={Unsupervised Continual Anomaly "
                 "Detection with Contrastively-learned Prompt}, author={Liu, Jiaqi and Wu, Kai and "
                 "Nie, Qiang and Chen, Ying and Gao, Bin-Bin and Liu, Yong and Wang, Jinbao and "
                 "Wang, Chengjie and Zheng, Feng}, booktitle={Proceedings of the AAAI Conference "
                 "on Artificial Intelligence}, year={2024}}",
       .tiny = {{"network", "vit_test"},
                {"weights", "random:7"},
                {"precision", "f32"},
                {"tap_block", "1"},
                {"epochs", "2"},
                {"key_size", "64"},
                {"memory_size", "64"},
                {"embed_dim", "40"}},
       .make = make});
}

}  // namespace cadenza
