// network_taps NETWORK WEIGHTS HEIGHT WIDTH BATCH|FILE OUT.safetensors TAP...
// Runs a network on BATCH images of seed 1, or on the tensor `input` of FILE.safetensors, with both
// engines and writes what another implementation needs to check it: `weight.*`, `input`,
// `torch.TAP`, `openvino.TAP` and, in bfloat16, `openvino_bf16.TAP`.
#include <cstdint>
#include <iostream>
#include <map>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/base/json.h"
#include "cadenza/base/rng.h"
#include "cadenza/network/engine.h"
#include "cadenza/network/registry.h"
#include "cadenza/network/torch_engine.h"

namespace cadenza {
namespace {

void write(const std::string& path, const std::map<std::string, WeightView>& tensors) {
  Json header = Json::object();
  std::string payload;
  for (const auto& [name, view] : tensors) {
    const auto begin = payload.size();
    payload.append(reinterpret_cast<const char*>(view.data.data()), view.data.size_bytes());
    header[name] = {
        {"dtype", "F32"}, {"shape", view.shape}, {"data_offsets", {begin, payload.size()}}};
  }
  auto text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  const std::uint64_t n = text.size();
  write_file_atomic(path, std::string(reinterpret_cast<const char*>(&n), 8) + text + payload);
}

at::Tensor input_of(const std::string& source, std::int64_t height, std::int64_t width) {
  if (source.ends_with(".safetensors")) {
    const auto file = read_weights(source);
    return tensor_of(file.views().at("input")).clone();
  }
  auto input = at::empty({std::stoll(source), 3, height, width}, at::kFloat);
  Rng rng(1, "input");
  for (auto& value : std::span(input.data_ptr<float>(), input.numel())) {
    value = static_cast<float>(rng.uniform(-2, 2));
  }
  return input;
}

int run(const std::vector<std::string>& arguments) {
  CADENZA_REQUIRE(arguments.size() >= 8, ErrorCode::kInvalidArgument,
                  "usage: network_taps NETWORK WEIGHTS HEIGHT WIDTH BATCH OUT TAP...");
  const auto registry = builtin_networks();
  const auto& entry = registry.find(arguments[1]);
  const auto height = std::stoll(arguments[3]), width = std::stoll(arguments[4]);
  const std::vector<std::string> taps(arguments.begin() + 7, arguments.end());
  const auto graph = entry.describe({.height_px = height, .width_px = width, .taps = taps});
  const auto weights = load_weights(entry, graph, {}, arguments[2]);

  const auto input = input_of(arguments[5], height, width);

  std::map<std::string, WeightView> tensors{{"input", weight_of(input)}};
  for (const auto& [name, view] : weights->views()) tensors["weight." + name] = view;
  const at::Tensor inputs[] = {input};
  const auto add = [&](const std::string& engine, const EngineOptions& options) {
    const auto outputs = make_engine(graph, weights, options)->run(inputs);
    for (std::size_t tap = 0; tap < taps.size(); ++tap) {
      tensors[cat(engine, '.', taps[tap])] = weight_of(outputs[tap]);
    }
  };
  add("torch", {.kind = EngineKind::kTorch});
  add("openvino", {});
  add("openvino_bf16", {.precision = Precision::kBf16});
  write(arguments[6], tensors);
  return 0;
}

}  // namespace
}  // namespace cadenza

int main(int n_arguments, char** arguments) {
  try {
    return cadenza::run({arguments, arguments + n_arguments});
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 2;
  }
}
