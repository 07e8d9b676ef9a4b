// network_speed [NETWORK...]
// Median milliseconds a call: batch 1 and 8, float32 and bfloat16, both engines, generated weights.
// The taps are those that the methods use (stage 3 of residual networks, all of a ViT).
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>

#include <ATen/ATen.h>

#include "cadenza/network/engine.h"
#include "cadenza/network/registry.h"
#include "cadenza/network/torch_engine.h"

namespace cadenza {
namespace {

double median_ms(const Engine& engine, const at::Tensor& images) {
  using Clock = std::chrono::steady_clock;
  const at::Tensor inputs[] = {images};
  for (int warm_up = 0; warm_up < 3; ++warm_up) engine.run(inputs);
  std::vector<double> times;
  const auto stop = Clock::now() + std::chrono::seconds(2);
  while (times.size() < 5 || (Clock::now() < stop && times.size() < 200)) {
    const auto start = Clock::now();
    engine.run(inputs);
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
  std::ranges::nth_element(times, times.begin() + static_cast<long>(times.size() / 2));
  return times[times.size() / 2];
}

void measure(const NetworkEntry& entry) {
  const auto size = entry.family == "efficientnet" ? 256 : entry.size_px;
  const std::string tap = entry.family == "vit"            ? "norm"
                          : entry.family == "efficientnet" ? "stage.7"
                          : entry.family == "resnet"       ? "stage.3"
                                                           : "stage.4";
  const auto graph = entry.describe({.height_px = size, .width_px = size, .taps = {tap}});
  const auto weights = load_weights(entry, graph, {}, "random:1");
  std::printf("%-20s %4lld px, %6.2f GMAC", entry.name.c_str(), static_cast<long long>(size),
              graph.macs() / 1e9);
  for (const auto kind : {EngineKind::kTorch, EngineKind::kOpenvino}) {
    for (const auto precision : {Precision::kF32, Precision::kBf16}) {
      const auto engine = make_engine(graph, weights, {.kind = kind, .precision = precision});
      const auto one = median_ms(*engine, at::randn({1, 3, size, size}));
      const auto eight = median_ms(*engine, at::randn({8, 3, size, size}));
      std::printf(" | %s %s %.1f / %.1f", std::string(to_string(kind)).c_str(),
                  std::string(to_string(precision)).c_str(), one, eight);
      std::fflush(stdout);
    }
  }
  std::printf("\n");
}

}  // namespace
}  // namespace cadenza

int main(int n_arguments, char** arguments) {
  try {
    std::vector<std::string> names(arguments + 1, arguments + n_arguments);
    if (names.empty()) {
      names = {"efficientnet_lite0", "resnet18", "wide_resnet50_2", "vit_small_patch16"};
    }
    const auto registry = cadenza::builtin_networks();
    for (const auto& name : names) cadenza::measure(registry.find(name));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 2;
  }
}
