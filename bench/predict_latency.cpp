// predict_latency MODEL WEIGHTS_FOLDER IMAGE...
// Median milliseconds from file to verdict and map, one image at a time, beside the network alone,
// decoding alone and preparing alone, taken in turns so that a machine whose speed drifts slows
// all. MODEL is routed_memory's with its default network and layers. Prints one JSON object.
#include <algorithm>
#include <chrono>
#include <iostream>

#include <ATen/ATen.h>

#include "cadenza/base/file.h"
#include "cadenza/base/json.h"
#include "cadenza/cli/thread_count.h"
#include "cadenza/dataset/preprocess.h"
#include "cadenza/inspector/inspector.h"
#include "cadenza/method/method.h"
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
  const auto line =
      Inspector::open(arguments[0], {.environment = {.weights_folder = arguments[1]}});
  const FeatureExtractor network({.taps = {"stage.3", "stage.4", "stage.5", "stage.6", "stage.7"},
                                  .height_px = 256,
                                  .width_px = 256},
                                 {.weights_folder = arguments[1]});
  const auto input = line.method().info().input;
  const auto picture = at::randn({1, 3, 256, 256});
  std::vector<double> whole, alone, decoding, preparing;
  std::vector<std::string> files(arguments.begin() + 2, arguments.end());
  while (files.size() < 200) files.insert(files.end(), arguments.begin() + 2, arguments.end());
  for (const auto& file : files) {
    whole.push_back(milliseconds([&] { line.predict(file); }));
    alone.push_back(milliseconds([&] { network.extract(picture); }));
    Image image;
    decoding.push_back(
        milliseconds([&] { image = decode_image(read_file(file), file, decode_options(input)); }));
    preparing.push_back(milliseconds([&] { prepare(image, input); }));
  }
  const Json result = {{"images", files.size() - kWarmUps},
                       {"verdict_ms", distribution(whole)},
                       {"network_ms", distribution(alone)},
                       {"decode_ms", distribution(decoding)},
                       {"prepare_ms", distribution(preparing)}};
  std::cout << result.dump(2) << '\n';
  return 0;
}

}  // namespace
}  // namespace cadenza

int main(int n_arguments, char** arguments) {
  try {
    if (n_arguments < 4) {
      std::cerr << "predict_latency MODEL WEIGHTS_FOLDER IMAGE...\n";
      return 2;
    }
    return cadenza::measure({arguments + 1, arguments + n_arguments});
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 2;
  }
}
