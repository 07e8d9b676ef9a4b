// sam_taps sam_test|sam_vit_b|... SEED OUT.safetensors: runs the parts of Segment Anything on
// generated weights with both engines and writes what bench/sam_parity.py checks: `weight.*`,
// inputs, and `torch.NAME`, `openvino.NAME`.
#include <chrono>
#include <cstdint>
#include <iostream>
#include <map>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/base/json.h"
#include "cadenza/base/rng.h"
#include "cadenza/network/engine.h"
#include "cadenza/network/sam/sam.h"
#include "cadenza/network/torch_engine.h"

namespace cadenza {
namespace {

using Tensors = std::vector<at::Tensor>;

void write(const std::string& path, const std::map<std::string, at::Tensor>& tensors) {
  Json header = Json::object();
  std::string payload;
  for (const auto& [name, tensor] : tensors) {
    const auto view = weight_of(tensor);
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

at::Tensor uniform(at::IntArrayRef sizes, const std::string& stream, double low, double high) {
  auto tensor = at::empty(sizes, at::kFloat);
  Rng rng(1, stream);
  for (auto& value : std::span(tensor.data_ptr<float>(), tensor.numel())) {
    value = static_cast<float>(rng.uniform(low, high));
  }
  return tensor;
}

SamSpec spec_of(const std::string& name) {
  if (name == "sam_vit_b") return sam_vit_b();
  if (name == "sam_vit_l") return sam_vit_l();
  if (name == "sam_vit_h") return sam_vit_h();
  return sam_test();
}

at::Tensor cell_centres(std::int64_t grid) {
  const auto line = (at::arange(grid, at::kFloat) + 0.5) / grid;
  const auto y = line.unsqueeze(1).expand({grid, grid}), x = line.expand({grid, grid});
  return at::stack({x, y}, 2).reshape({1, grid * grid, 2});
}

int run(const std::vector<std::string>& arguments) {
  CADENZA_REQUIRE(arguments.size() == 4, ErrorCode::kInvalidArgument,
                  "usage: sam_taps NETWORK SEED OUT");
  const auto spec = spec_of(arguments[1]);
  const auto weights = std::make_shared<Weights>(
      random_weights(describe_sam_whole(spec), std::stoull(arguments[2])));
  std::map<std::string, at::Tensor> tensors;
  for (const auto& [name, view] : weights->views()) tensors["weight." + name] = tensor_of(view);

  const auto image = tensors["image"] = uniform({1, 3, spec.size_px, spec.size_px}, "image", -2, 2);
  const auto points = tensors["points"] = uniform({3, 2, 2}, "points", 0, 1);
  const auto kinds = at::zeros({3, 2, kSamPointKinds});
  const SamPoint which[3][2] = {{SamPoint::kForeground, SamPoint::kNone},
                                {SamPoint::kBackground, SamPoint::kForeground},
                                {SamPoint::kTopLeft, SamPoint::kBottomRight}};
  for (int prompt = 0; prompt < 3; ++prompt) {
    for (int point = 0; point < 2; ++point) {
      kinds[prompt][point][static_cast<int>(which[prompt][point])] = 1;
    }
  }
  tensors["kinds"] = kinds;
  const auto mask = tensors["mask"] =
      uniform({3, 1, spec.mask_px(), spec.mask_px()}, "mask", -4, 4);

  for (const auto kind : {EngineKind::kTorch, EngineKind::kOpenvino}) {
    const auto keep = [&](const Graph& graph, const Tensors& outputs, const std::string& suffix) {
      for (std::size_t index = 0; index < outputs.size(); ++index) {
        tensors[cat(to_string(kind), '.', graph.outputs()[index].first, suffix)] = outputs[index];
      }
    };
    const auto timed = [&](const Graph& graph, const Tensors& inputs, const std::string& suffix) {
      const auto engine = make_engine(graph, weights, {.kind = kind});
      double best = 0;
      Tensors outputs;
      for (int round = 0; round < 3; ++round) {  // the first one compiles
        const auto start = std::chrono::steady_clock::now();
        outputs = engine->run(inputs);
        const double ms =
            std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
                .count();
        if (round == 1 || ms < best) best = ms;
      }
      std::cerr << to_string(kind) << ' ' << graph.outputs().back().first << suffix << ": "
                << graph.macs() / 1e9 << " GMAC, " << best << " ms for " << inputs.back().size(0)
                << '\n';
      keep(graph, outputs, suffix);
      return outputs;
    };
    const auto last = "block." + std::to_string(spec.depth - 1);
    const auto embedding =
        timed(describe_sam(spec, {.taps = {"block.0", last, "embedding"}}), {image}, "")[2];
    const auto positions = timed(describe_sam_positions(spec, spec.grid() * spec.grid()),
                                 {cell_centres(spec.grid())}, "")[0];
    timed(describe_sam_decoder(spec, {}), {embedding, positions, points, kinds}, "");
    timed(describe_sam_decoder(spec, {.with_mask = true}),
          {embedding, positions, points, kinds, mask}, "+mask");
  }
  write(arguments[3], tensors);
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
