#include "cadenza/network/sam/sam.h"

#include <map>

#include "tests/support/error_of.h"
#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "cadenza/base/digest.h"
#include "cadenza/base/rng.h"
#include "cadenza/network/engine.h"
#include "cadenza/network/registry.h"
#include "cadenza/network/sam/sam_golden.h"
#include "cadenza/network/torch_engine.h"

namespace cadenza {
namespace {

using testing::HasSubstr;
using Tensors = std::vector<at::Tensor>;

at::Tensor uniform(at::IntArrayRef sizes, const std::string& stream, double low, double high) {
  auto tensor = at::empty(sizes, at::kFloat);
  Rng rng(1, stream);
  for (auto& value : std::span(tensor.data_ptr<float>(), tensor.numel())) {
    value = static_cast<float>(rng.uniform(low, high));
  }
  return tensor;
}

at::Tensor cell_centres(std::int64_t grid) {
  const auto line = (at::arange(grid, at::kFloat) + 0.5) / grid;
  const auto y = line.unsqueeze(1).expand({grid, grid}), x = line.expand({grid, grid});
  return at::stack({x, y}, 2).reshape({1, grid * grid, 2});
}

/// Three prompts: a point and padding, two points, a box; as bench/sam_taps.cpp makes them.
at::Tensor three_kinds() {
  const auto kinds = at::zeros({3, 2, kSamPointKinds});
  const SamPoint which[3][2] = {{SamPoint::kForeground, SamPoint::kNone},
                                {SamPoint::kBackground, SamPoint::kForeground},
                                {SamPoint::kTopLeft, SamPoint::kBottomRight}};
  for (int prompt = 0; prompt < 3; ++prompt) {
    for (int point = 0; point < 2; ++point) {
      kinds[prompt][point][static_cast<int>(which[prompt][point])] = 1;
    }
  }
  return kinds;
}

/// Every output of the four graphs on the inputs of bench/sam_taps.cpp.
std::map<std::string, at::Tensor> all_parts(EngineKind kind) {
  const auto spec = sam_test();
  const auto weights = std::make_shared<Weights>(random_weights(describe_sam_whole(spec), 3));
  std::map<std::string, at::Tensor> all;
  const auto run = [&](const Graph& graph, const Tensors& inputs, const std::string& suffix) {
    auto outputs = make_engine(graph, weights, {.kind = kind})->run(inputs);
    for (std::size_t index = 0; index < outputs.size(); ++index) {
      all[graph.outputs()[index].first + suffix] = outputs[index];
    }
    return outputs.back();
  };
  const auto image = uniform({1, 3, spec.size_px, spec.size_px}, "image", -2, 2);
  const auto points = uniform({3, 2, 2}, "points", 0, 1);
  const auto mask = uniform({3, 1, spec.mask_px(), spec.mask_px()}, "mask", -4, 4);
  const auto cells = spec.grid() * spec.grid();
  const auto embedding =
      run(describe_sam(spec, {.taps = {"block.0", "block.1", "embedding"}}), {image}, "");
  const auto positions = run(describe_sam_positions(spec, cells), {cell_centres(spec.grid())}, "");
  run(describe_sam_decoder(spec, {}), {embedding, positions, points, three_kinds()}, "");
  run(describe_sam_decoder(spec, {.with_mask = true}),
      {embedding, positions, points, three_kinds(), mask}, "+mask");
  return all;
}

// 1e-5: float32 rounding through the parts is 1e-6 here; a swapped axis or a wrong epsilon is above
// 1e-3.
TEST(Sam, PartsGiveTheNumbersOfTheAuthorsProgram) {
  for (const auto kind : {EngineKind::kTorch, EngineKind::kOpenvino}) {
    const auto all = all_parts(kind);
    for (const auto& golden : sam_golden()) {
      const auto flat = all.at(golden.name).flatten();
      for (std::size_t kept = 0; kept < golden.values.size(); ++kept) {
        const auto place = static_cast<std::int64_t>(977 * kept) % flat.numel();
        ASSERT_NEAR(flat[place].item<float>(), golden.values[kept], 1e-5 * golden.largest)
            << golden.name << ' ' << to_string(kind) << ' ' << place;
      }
    }
  }
}

/// The lines of a checkpoint's names and shapes, sorted by name.
std::string key_table(const Graph& graph, int& n_tensors, long long& n_numbers) {
  std::map<std::string, std::string> lines;
  n_numbers = 0;
  for (const auto& node : graph.nodes()) {
    const auto* weight = std::get_if<op::Weight>(&node.op);
    if (weight == nullptr || lines.contains(weight->name)) continue;
    long long n = 1;
    std::string sizes;
    for (const auto size : node.shape) {
      n *= size;
      sizes += (sizes.empty() ? "" : "x") + std::to_string(size);
    }
    n_numbers += n;
    lines[weight->name] = weight->name + ' ' + sizes + '\n';
  }
  n_tensors = static_cast<int>(lines.size());
  std::string table;
  for (const auto& [name, line] : lines) table += line;
  return table;
}

TEST(Sam, KeysAndShapesOfAllThreePublishedSizesAreTheirs) {
  for (const auto& keys : sam_keys()) {
    int n_tensors = 0;
    long long n_numbers = 0;
    const auto table = key_table(describe_sam_whole(find_sam(keys.network)), n_tensors, n_numbers);
    EXPECT_EQ(n_tensors, keys.n_tensors) << keys.network;
    EXPECT_EQ(n_numbers, keys.n_numbers) << keys.network;
    EXPECT_EQ(sha256_hex(table), keys.sha256) << keys.network << "\n" << table;
  }
  EXPECT_EQ(sam_keys().size(), 4U);
}

TEST(Sam, PromptsDoNotSeeEachOther) {
  const auto spec = sam_test();
  const auto graph = describe_sam_decoder(spec, {});
  const auto weights = std::make_shared<Weights>(random_weights(graph, 5));
  const auto engine = make_engine(graph, weights, {});
  const auto grid = spec.grid();
  const auto embedding = uniform({1, spec.embedding, grid, grid}, "embedding", -1, 1);
  const auto positions = uniform({1, grid * grid, spec.embedding}, "positions", -1, 1);
  const auto points = uniform({3, 2, 2}, "points", 0, 1);
  const auto together = engine->run(Tensors{embedding, positions, points, three_kinds()});
  for (std::int64_t prompt = 0; prompt < 3; ++prompt) {
    const auto alone = engine->run(Tensors{embedding, positions, points.narrow(0, prompt, 1),
                                           three_kinds().narrow(0, prompt, 1)});
    const auto masks = graph.output_index("masks");
    EXPECT_TRUE(at::equal(alone[masks], together[masks].narrow(0, prompt, 1)));
  }
}

TEST(Sam, TheWholeNetworkIsItsParts) {
  const auto spec = sam_test();
  const auto whole = describe_sam_whole(spec);
  const auto weights = std::make_shared<Weights>(random_weights(whole, 3));
  const auto one = [](const at::Tensor& x) { return x.narrow(0, 0, 1); };
  const auto m = spec.mask_px();
  const std::map<std::string, at::Tensor> inputs{
      {"image", uniform({1, 3, spec.size_px, spec.size_px}, "image", -2, 2)},
      {"places", cell_centres(spec.grid())},
      {"points", one(uniform({3, 2, 2}, "points", 0, 1))},
      {"kinds", one(three_kinds())},
      {"mask", one(uniform({3, 1, m, m}, "mask", -4, 4))}};
  for (const bool has_mask : {false, true}) {
    Tensors given;
    for (const auto index : whole.inputs()) {
      const auto& name = std::get<op::Input>(whole.nodes()[index].op).name;
      given.push_back(name == "has_mask" ? at::full({1, 1, 1, 1}, has_mask ? 1.0 : 0.0)
                                         : inputs.at(name));
    }
    const auto found = make_engine(whole, weights, {})->run(given);
    const auto parts = all_parts(EngineKind::kOpenvino);
    const auto& masks = parts.at(has_mask ? "masks+mask" : "masks");
    EXPECT_LT((found[0] - one(masks)).abs().max().item<double>(),
              1e-5 * masks.abs().max().item<double>());
  }
}

TEST(Sam, NetworksAreRegisteredAndRefuseWhatTheyCannotDo) {
  const auto networks = builtin_networks();
  for (const auto* name : {"sam_vit_b", "sam_vit_l", "sam_vit_h"}) {
    EXPECT_EQ(find_tap(networks.find(name), "embedding").shape, (Shape{kBatch, 256, 64, 64}));
  }
  const auto& tiny = networks.find("sam_test");
  EXPECT_THAT(error_of([&] { tiny.describe({.height_px = 64, .taps = {"embedding"}}); }).what(),
              HasSubstr("64x72: SAM's encoder takes 72x72"));
  EXPECT_EQ(error_of([&] {
              tiny.describe({.taps = {"embedding"}, .prefix = {.n_tokens = 1, .n_blocks = 1}});
            }).code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(find_sam("sam_vit_h").width, 1280);
  EXPECT_EQ(error_of([] { find_sam("sam_vit_x"); }).code(), ErrorCode::kNotFound);
  EXPECT_THAT(error_of([] { describe_sam_decoder(sam_test(), {.n_points = 0}); }).what(),
              HasSubstr("expected points, a box or a mask"));
}

}  // namespace
}  // namespace cadenza
