#include <utility>
#include <vector>

#include "cadenza/method/registry.h"
#include "cadenza/method/routed_memory/routed_memory.h"

namespace cadenza {
namespace {

using routed_memory::RoutedMemory;
using routed_memory::RoutedMemoryOptions;

MethodInfo facts(std::int64_t size_px) {
  MethodInfo info;
  info.name = "routed_memory";
  info.summary = "one small memory a product, each image routed to its product; never retrained";
  info.source =
      "Cadenza; after Roth et al., PatchCore, CVPR 2022 (memory of patches) and Defard et al., "
      "PaDiM, 2021 (Gaussian of patches)";
  // (v - 127) / 128, as EfficientNet-Lite was trained.
  info.input = {.height_px = size_px,
                .width_px = size_px,
                .mean = {127 / 255.F, 127 / 255.F, 127 / 255.F},
                .stddev = {128 / 255.F, 128 / 255.F, 128 / 255.F},
                .reduced_decoding = true};
  info.picks_task = info.isolates_tasks = info.calibrates = true;
  info.network = "efficientnet_lite0";
  return info;
}

std::vector<OptionSpec> option_table() {
  return {
      text_option("network", "efficientnet_lite0", "see `cadenza networks`; frozen"),
      text_option("weights", "", "a .safetensors file; empty: the network's default"),
      integer_option("size", 256, 32, 2048, "side of the input in pixels"),
      text_option("layers", "stage.4,stage.5,stage.6,stage.7",
                  "taps with a memory each; the last one routes"),
      text_option("map_layers", "stage.3,stage.4,stage.5",
                  "taps of the shown map's Gaussians; empty: 43 kB less a task, coarser maps"),
      integer_option("memory_size", 500, 32, 65536,
                     "entries a layer and task; 140 is 0.1 MB, 500 is 0.41 MB"),
      integer_option("candidates", 30'000, 1000, 10'000'000,
                     "cells a layer that learning chooses the entries from"),
      choice_option("code", "int8", {"int8", "fp16", "fp32"}, "how entries are stored"),
      real_option("reject_ratio", 1.3, 1, 100,
                  "task distance above which an image is of no known product"),
      choice_option("precision", "auto", {"auto", "f32", "bf16"},
                    "of the network; auto: bf16 where the processor has it, and then a model opens "
                    "only on such machines; f32 opens everywhere"),
  };
}

std::unique_ptr<Method> make(const Options& options, const NetworkEnvironment& environment) {
  RoutedMemoryOptions made;
  const auto size = options.integer("size");
  made.network = {.network = options.text("network"),
                  .taps = {},
                  .height_px = size,
                  .width_px = size,
                  .weights = options.text("weights"),
                  .precision = options.text("precision")};
  made.layers = options.list("layers");
  made.map_layers = options.list("map_layers");
  made.learn = {.memory_size = options.integer("memory_size"),
                .candidates = options.integer("candidates"),
                .code = parse_bank_code(options.text("code"))};
  made.reject_ratio = options.real("reject_ratio");
  auto info = facts(size);
  const NetworkEntry entry = builtin_networks().find(made.network.network);
  info.input.mean = entry.mean;
  info.input.stddev = entry.stddev;
  return std::make_unique<RoutedMemory>(std::move(info), made, environment);
}

}  // namespace

void register_routed_memory(MethodRegistry& registry) {
  registry.add({.name = "routed_memory",
                .info = facts(256),
                .options = option_table(),
                .bibtex = "@software{cadenza, title={Cadenza: continual visual anomaly detection "
                          "in C++}, year={2026}, note={method routed_memory}}",
                .tiny = {{"network", "efficientnet_lite_test"},
                         {"weights", "random:7"},
                         {"size", "32"},
                         {"layers", "stage.2,stage.3,stage.4"},
                         {"map_layers", "stage.2,stage.3"},
                         {"memory_size", "64"}},
                .make = make});
}

}  // namespace cadenza
