// predict_latency MODEL WEIGHTS_FOLDER PRECISION IMAGE...
// Median milliseconds from file to verdict and map, one image at a time and by stage, beside the
// network alone, taken in turns so that a machine whose speed drifts slows both. MODEL is
// routed_memory's with its default network and layers, learned in PRECISION (f32, bf16 or auto).
// Prints one JSON object.
#include <algorithm>
#include <chrono>
#include <iostream>
#include <map>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "cadenza/base/clock.h"
#include "cadenza/base/error.h"
#include "cadenza/base/json.h"
#include "cadenza/cli/thread_count.h"
#include "cadenza/inspector/inspector.h"
#include "cadenza/network/feature_extractor.h"
#include "cadenza/network/registry.h"

namespace cadenza {
namespace {

constexpr std::size_t kWarmUps = 8;

template <class Work>
double milliseconds(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - start;
  return spent.count();
}

Json distribution(std::vector<double> times) {
  times.erase(times.begin(), times.begin() + kWarmUps);
  std::ranges::sort(times);
  return {{"p50", times[times.size() / 2]}, {"p95", times[times.size() * 95 / 100]}};
}

int measure(const std::vector<std::string>& arguments) {
  at::set_num_threads(thread_count(0));
  const NetworkEnvironment environment{.weights_folder = arguments[1]};
  const auto line = Inspector::open(arguments[0], {.environment = environment});
  const FeatureExtractor network({.taps = {"stage.3", "stage.4", "stage.5", "stage.6", "stage.7"},
                                  .height_px = 256,
                                  .width_px = 256,
                                  .precision = arguments[2]},
                                 environment);
  const auto picture = at::randn({1, 3, 256, 256});
  const std::vector<std::string> given(arguments.begin() + 3, arguments.end());
  auto files = given;
  while (files.size() < 200) files.insert(files.end(), given.begin(), given.end());
  std::map<std::string_view, std::vector<double>> times;
  for (const auto& file : files) {
    Verdict verdict;
    times["verdict"].push_back(milliseconds([&] { verdict = line.predict(file); }));
    times["network_alone"].push_back(milliseconds([&] { network.extract(picture); }));
    for (const auto stage : {Stage::kDecode, Stage::kPreprocess, Stage::kNetwork, Stage::kScore}) {
      const auto name = kStageNames[static_cast<std::size_t>(stage)];
      times[name].push_back(verdict.clock.milliseconds(stage));
    }
  }
  Json result = {{"images", files.size() - kWarmUps}, {"precision", arguments[2]}};
  for (auto& [name, values] : times) result[cat(name, "_ms")] = distribution(values);
  std::cout << result.dump(2) << '\n';
  return 0;
}

}  // namespace
}  // namespace cadenza

int main(int n_arguments, char** arguments) {
  try {
    if (n_arguments < 5) {
      std::cerr << "predict_latency MODEL WEIGHTS_FOLDER PRECISION IMAGE...\n";
      return 2;
    }
    return cadenza::measure({arguments + 1, arguments + n_arguments});
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 2;
  }
}
