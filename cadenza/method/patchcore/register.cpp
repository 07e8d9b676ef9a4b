#include <utility>
#include <vector>

#include "cadenza/base/error.h"
#include "cadenza/method/patchcore/patchcore.h"
#include "cadenza/method/registry.h"

namespace cadenza {
namespace {

using patchcore::PatchCore;
using patchcore::PatchCoreOptions;

MethodInfo facts(std::int64_t size_px) {
  MethodInfo info;
  info.name = "patchcore";
  info.summary = "nearest neighbour among stored patches, a bank a task: the baseline";
  info.source = "Roth et al., PatchCore, CVPR 2022";
  info.input = {.height_px = size_px,
                .width_px = size_px,
                .mean = {0.5F, 0.5F, 0.5F},
                .stddev = {0.5F, 0.5F, 0.5F}};
  info.picks_task = info.isolates_tasks = info.calibrates = true;
  info.network = "efficientnet_lite0";
  return info;
}

std::vector<OptionSpec> option_table() {
  return {
      text_option("network", "efficientnet_lite0", "see `cadenza networks`; frozen"),
      text_option("weights", "", "a .safetensors file; empty: the network's default"),
      integer_option("size", 256, 32, 2048, "side of the input in pixels"),
      text_option("layers", "stage.3,stage.5", "taps whose cells make a patch, finest first"),
      integer_option("neighbourhood", 3, 1, 15, "cells a side that a patch averages over, odd"),
      real_option("coreset_ratio", 0.01, 0, 1, "share of a task's patches that its bank keeps"),
      integer_option("least_rows", 3000, 1, 1'000'000, "rows that a bank has at least"),
      integer_option("candidates", 500'000, 1000, 100'000'000,
                     "patches a task that the bank is chosen from; 500,000 take 0.3 GB"),
      integer_option("num_neighbors", 9, 1, 1000, "rows that re-weight an image's score; 1: none"),
      real_option("sigma", 4, 0, 100, "of the map's Gaussian, in pixels of the input"),
      choice_option("code", "fp32", {"int8", "fp16", "fp32"}, "how rows are stored"),
      choice_option("precision", "f32", {"f32", "bf16", "auto"},
                    "of the network; auto: bf16 where the processor has it, and then a model opens "
                    "only on such machines"),
  };
}

std::unique_ptr<Method> make(const Options& options, const NetworkEnvironment& environment) {
  const auto size = options.integer("size"), neighbourhood = options.integer("neighbourhood");
  CADENZA_REQUIRE(neighbourhood % 2 == 1, ErrorCode::kInvalidArgument,
                  "option 'neighbourhood': expected an odd number, found ", neighbourhood);
  return std::make_unique<PatchCore>(
      facts(size),
      PatchCoreOptions{.network = {.network = options.text("network"),
                                   .taps = options.list("layers"),
                                   .height_px = size,
                                   .width_px = size,
                                   .weights = options.text("weights"),
                                   .precision = options.text("precision")},
                       .neighbourhood = neighbourhood,
                       .coreset_ratio = options.real("coreset_ratio"),
                       .least_rows = options.integer("least_rows"),
                       .candidates = options.integer("candidates"),
                       .n_neighbours = options.integer("num_neighbors"),
                       .sigma_px = options.real("sigma"),
                       .code = parse_bank_code(options.text("code"))},
      environment);
}

}  // namespace

void register_patchcore(MethodRegistry& registry) {
  registry.add({.name = "patchcore",
                .info = facts(256),
                .options = option_table(),
                .bibtex = "@inproceedings{roth2022patchcore, title={Towards Total Recall in "
                          "Industrial Anomaly Detection}, author={Roth, Karsten and Pemula, Latha "
                          "and Zepeda, Joaquin and Sch{\\\"o}lkopf, Bernhard and Brox, Thomas and "
                          "Gehler, Peter}, booktitle={CVPR}, year={2022}}",
                .tiny = {{"network", "efficientnet_lite_test"},
                         {"weights", "random:7"},
                         {"size", "32"},
                         {"layers", "stage.2,stage.3"},
                         {"least_rows", "64"}},
                .make = make});
}

}  // namespace cadenza
