#include "cadenza/base/error.h"
#include "cadenza/method/dual_prompt/dual_prompt.h"
#include "cadenza/method/registry.h"

namespace cadenza {
namespace {

MethodInfo facts(const Options& options, const NetworkEntry& network) {
  MethodInfo info;
  info.name = "dual_prompt";
  info.summary =
      "kernel and mask prompts, keys and patches of normals a product beside one frozen "
      "convolutional network";
  info.source =
      "Unsupervised Continual ConvNeXt for Visual Industrial Anomaly Detection; after UCAD, AAAI "
      "2024, section 3";
  info.input = dual_prompt::input_spec(options, network);
  info.picks_task = info.isolates_tasks = info.calibrates = true;
  info.joins_epochs = true;
  info.network = network.name;
  return info;
}

std::unique_ptr<Method> make(const Options& options, const NetworkEnvironment& environment) {
  const NetworkEntry network = builtin_networks().find(options.text("network"));
  return std::make_unique<dual_prompt::DualPromptMethod>(
      facts(options, network), dual_prompt::read_settings(options, network), environment);
}

}  // namespace

void register_dual_prompt(MethodRegistry& registry) {
  const auto options = dual_prompt::dual_prompt_options();
  const Options defaults("method 'dual_prompt'", options, {});
  registry.add(
      {.name = "dual_prompt",
       .info = facts(defaults, builtin_networks().find(defaults.text("network"))),
       .options = options,
       .bibtex = "@misc{dual_prompt_convnext, title={Unsupervised Continual ConvNeXt for Visual "
                 "Industrial Anomaly Detection}}\n"
                 "@inproceedings{liu2024unsupervised, title={Unsupervised Continual Anomaly "
                 "Detection with Contrastively-learned Prompt}, author={Liu, Jiaqi and Wu, Kai and "
                 "Nie, Qiang and Chen, Ying and Gao, Bin-Bin and Liu, Yong and Wang, Jinbao and "
                 "Wang, Chengjie and Zheng, Feng}, booktitle={Proceedings of the AAAI Conference "
                 "on Artificial Intelligence}, year={2024}}",
       .tiny = {{"network", "efficientnet_lite_test"},
                {"weights", "random:7"},
                {"precision", "f32"},
                {"sites", "s2b1-2"},
                {"epochs", "2"},
                {"key_size", "64"},
                {"memory_size", "64"},
                {"head_dim", "32"}},
       .make = make});
}

}  // namespace cadenza
