#include "cadenza/network/engine.h"

#include <thread>

#include "tests/support/error_of.h"
#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "cadenza/base/rng.h"
#include "cadenza/network/feature_cache.h"
#include "cadenza/network/feature_extractor.h"
#include "cadenza/network/network_golden.h"
#include "cadenza/network/registry.h"
#include "cadenza/network/torch_engine.h"

namespace cadenza {
namespace {

using testing::HasSubstr;
using Tensors = std::vector<at::Tensor>;

at::Tensor random_tensor(at::IntArrayRef sizes, const std::string& stream = "input") {
  auto tensor = at::empty(sizes, at::kFloat);
  Rng rng(1, stream);
  for (auto& value : std::span(tensor.data_ptr<float>(), tensor.numel())) {
    value = static_cast<float>(rng.uniform(-2, 2));
  }
  return tensor;
}

struct Built {
  Graph graph;
  std::shared_ptr<const Weights> weights;

  std::unique_ptr<Engine> engine(const EngineOptions& options) const {
    return make_engine(graph, weights, options);
  }
};

Built build(const std::string& name, const GraphRequest& request) {
  const auto registry = builtin_networks();
  const auto& entry = registry.find(name);
  auto graph = entry.describe(request);
  auto weights = load_weights(entry, graph, {}, "random:3");
  return {std::move(graph), std::move(weights)};
}

/// The largest difference, relative to the largest absolute value of `expected`.
double relative_error(const at::Tensor& found, const at::Tensor& expected) {
  return ((found - expected).abs().max() / expected.abs().max()).item<double>();
}

bool same_bits(const Tensors& a, const Tensors& b) {
  for (std::size_t tap = 0; tap < a.size(); ++tap) {
    if (!at::equal(a[tap], b[tap])) return false;
  }
  return a.size() == b.size();
}

Injection delta_and_gate_everywhere() {
  return {.kernel =
              [](Graph& g, const InjectionSite& site, GraphValue kernel) {
                return g.add(kernel, g.input("delta." + site.name, site.kernel_shape));
              },
          .block_input =
              [](Graph& g, const InjectionSite& site, GraphValue x) {
                const auto& s = site.input_shape;
                return g.mul(x, g.input("gate." + site.name, {kBatch, 1, s[2], s[3]}));
              }};
}

Tensors inputs_of(const Graph& graph, std::int64_t batch) {
  Tensors inputs;
  for (const auto index : graph.inputs()) {
    const auto& node = graph.nodes()[index];
    auto sizes = node.shape;
    if (sizes[0] == kBatch) sizes[0] = batch;
    inputs.push_back(random_tensor(sizes, std::get<op::Input>(node.op).name));
  }
  return inputs;
}

std::vector<Built> one_of_each_family() {
  std::vector<Built> all;
  all.push_back(build("efficientnet_lite_test",
                      {.taps = {"stage.2", "stage.4"}, .injection = delta_and_gate_everywhere()}));
  all.push_back(build("efficientnet_lite_test", {.taps = {"stage.3"}}));
  all.push_back(build("resnet_test", {.taps = {"stage.1", "logits"}}));
  all.push_back(
      build("vit_test", {.taps = {"norm", "block.1"}, .prefix = {.n_tokens = 3, .n_blocks = 2}}));
  all.push_back(build("convnext_test",
                      {.taps = {"stage.2", "logits"}, .injection = delta_and_gate_everywhere()}));
  return all;
}

// 1e-5: float32 rounding through a dozen layers is 5e-7 here; a wrong pad or order is above 1e-2.
TEST(Engines, GiveTheTapsOfAnotherImplementation) {
  for (const auto& golden : golden_taps()) {
    const auto built =
        build(golden.network,
              {.height_px = golden.height_px, .width_px = golden.width_px, .taps = {golden.tap}});
    const Tensors inputs{random_tensor({2, 3, golden.height_px, golden.width_px})};
    for (const auto kind : {EngineKind::kTorch, EngineKind::kOpenvino}) {
      const auto tap = built.engine({.kind = kind})->run(inputs)[0].flatten();
      for (std::size_t kept = 0; kept < golden.values.size(); ++kept) {
        const auto place = static_cast<std::int64_t>(977 * kept) % tap.numel();
        ASSERT_NEAR(tap[place].item<float>(), golden.values[kept], 1e-5 * golden.largest)
            << golden.network << ' ' << golden.tap << ' ' << to_string(kind) << ' ' << place;
      }
    }
  }
}

TEST(Engines, AgreeWithPromptsDeltasAndGates) {
  for (const auto& built : one_of_each_family()) {
    const auto inputs = inputs_of(built.graph, 3);
    const auto torch = built.engine({.kind = EngineKind::kTorch})->run(inputs);
    const auto openvino = built.engine({.kind = EngineKind::kOpenvino})->run(inputs);
    for (std::size_t tap = 0; tap < torch.size(); ++tap) {
      EXPECT_LT(relative_error(openvino[tap], torch[tap]), 1e-5)
          << built.graph.outputs()[tap].first;
    }
  }
}

TEST(Engines, BytesInTheGraphEqualNormalisedFloats) {
  const GraphRequest floats{
      .taps = {"stage.2"}, .mean = {0.4F, 0.5F, 0.6F}, .stddev = {0.2F, 0.25F, 0.3F}};
  auto bytes = floats;
  bytes.bytes_in = true;
  const auto image = (random_tensor({2, 32, 32, 3}) * 63 + 127).to(at::kByte);
  const auto mean = at::tensor({0.4F, 0.5F, 0.6F}), stddev = at::tensor({0.2F, 0.25F, 0.3F});
  const Tensors planes{((image.to(at::kFloat) / 255 - mean) / stddev).permute({0, 3, 1, 2})};
  const auto expected = build("resnet_test", floats).engine({})->run(planes)[0];
  for (const auto kind : {EngineKind::kTorch, EngineKind::kOpenvino}) {
    const auto found = build("resnet_test", bytes).engine({.kind = kind})->run(Tensors{image})[0];
    EXPECT_LT(relative_error(found, expected), 1e-5);
  }
}

TEST(Engines, StartAfterATapWithWhatItGave) {
  const auto whole = build("convnext_test", {.taps = {"stage.1", "stage.2"}});
  const auto rest = build("convnext_test", {.taps = {"stage.2"}, .start_after = "stage.1"});
  const auto both = whole.engine({})->run(inputs_of(whole.graph, 2));
  EXPECT_EQ(rest.graph.inputs().size(), 1U);
  const auto found = rest.engine({})->run(Tensors{both[0]});
  EXPECT_LT(relative_error(found[0], both[1]), 1e-6);
}

TEST(Openvino, BitsDependOnNothingButTheImage) {
  for (const auto& built : one_of_each_family()) {
    for (const auto precision : {Precision::kF32, Precision::kBf16}) {
      const auto name = built.graph.outputs()[0].first;
      const auto inputs = inputs_of(built.graph, 11);
      const auto engine = built.engine({.precision = precision, .n_threads = 1});
      const auto first = engine->run(inputs);
      EXPECT_TRUE(same_bits(engine->run(inputs), first)) << "run to run " << name;
      EXPECT_TRUE(
          same_bits(built.engine({.precision = precision, .n_threads = 2})->run(inputs), first))
          << "1 or 2 threads " << name;
      EXPECT_TRUE(same_bits(
          built.engine({.precision = precision, .n_threads = 2, .n_streams = 2})->run(inputs),
          first))
          << "streams " << name;
      for (const std::int64_t image : {0, 3, 9}) {  // in an eight, and among the rest
        Tensors alone, row;
        for (std::size_t which = 0; which < inputs.size(); ++which) {
          const auto& shape = built.graph.nodes()[built.graph.inputs()[which]].shape;
          alone.push_back(shape[0] == kBatch ? inputs[which].narrow(0, image, 1) : inputs[which]);
        }
        for (const auto& tap : first) row.push_back(tap.narrow(0, image, 1));
        EXPECT_TRUE(same_bits(engine->run(alone), row)) << "image " << image << ' ' << name;
      }
    }
  }
}

TEST(Openvino, CallsFromTwoThreadsAgree) {
  const auto built = build("vit_test", {.taps = {"norm"}});
  const auto engine = built.engine({.n_streams = 2});
  const auto inputs = inputs_of(built.graph, 9);
  const auto expected = engine->run(inputs);
  std::atomic<int> n_wrong = 0;
  const auto work = [&] {
    for (int round = 0; round < 20; ++round) n_wrong += !same_bits(engine->run(inputs), expected);
  };
  std::thread other(work);
  work();
  other.join();
  EXPECT_EQ(n_wrong, 0);
}

TEST(Engines, NameTheInputThatDoesNotFit) {
  const auto built =
      build("vit_test", {.taps = {"norm"}, .prefix = {.n_tokens = 2, .n_blocks = 1}});
  for (const auto kind : {EngineKind::kTorch, EngineKind::kOpenvino}) {
    const auto engine = built.engine({.kind = kind});
    auto inputs = inputs_of(built.graph, 2);
    inputs[0] = at::zeros({2, 4, 32, 32});
    const auto shape = error_of([&] { engine->run(inputs); });
    EXPECT_EQ(shape.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(shape.what(), HasSubstr("[2,3,32,32], got [2, 4, 32, 32]"));
    inputs = inputs_of(built.graph, 2);
    inputs[1] = inputs[1].narrow(0, 0, 1);
    EXPECT_THAT(error_of([&] { engine->run(inputs); }).what(), HasSubstr("prefix.0.k"));
    inputs[1] = at::zeros({2, 2, 32}, at::kByte);
    EXPECT_THAT(error_of([&] { engine->run(inputs); }).what(), HasSubstr("Float"));
    inputs[1] = at::Tensor();
    EXPECT_EQ(error_of([&] { engine->run(inputs); }).code(), ErrorCode::kInvalidArgument);
    inputs.pop_back();
    EXPECT_EQ(error_of([&] { engine->run(inputs); }).code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(error_of([&] { engine->run(inputs_of(built.graph, 0)); }).code(),
              ErrorCode::kInvalidArgument);
  }
}

TEST(Engines, RefuseOptionsThatMakeNoSense) {
  const auto built = build("resnet_test", {.taps = {"stage.1"}});
  EXPECT_EQ(error_of([&] { built.engine({.device = parse_device("cuda:0")}); }).code(),
            ErrorCode::kUnsupported);
  EXPECT_EQ(error_of([] { pick_precision("f16"); }).code(), ErrorCode::kInvalidArgument);
  for (const auto* name : {"cuda", "cuda:", "cuda:x", "cuda:999", "gpu", ""}) {
    EXPECT_EQ(error_of([&] { parse_device(name); }).code(), ErrorCode::kInvalidArgument) << name;
  }
}

TEST(Engines, FingerprintsTellWhatMatters) {
  const auto a = build("resnet_test", {.taps = {"stage.1"}});
  const auto b = build("resnet_test", {.taps = {"stage.2"}});
  const auto print = [](const Built& built, EngineOptions options) {
    return built.engine(options)->fingerprint();
  };
  EXPECT_EQ(print(a, {.n_threads = 1}), print(a, {.n_threads = 2}));
  EXPECT_NE(print(a, {}), print(b, {}));
  EXPECT_NE(print(a, {}), print(a, {.precision = Precision::kBf16}));
  EXPECT_NE(print(a, {}), print(a, {.kind = EngineKind::kTorch}));
}

TEST(FeatureCache, KeepsTheMostRecentWithinItsBound) {
  FeatureCache cache(3 * (400 + 20));
  const auto key = [](int image) { return FeatureCache::Key{std::to_string(image), "net", "tap"}; };
  const auto batch = at::arange(1000, at::kFloat).view({10, 100});
  for (int image = 0; image < 3; ++image) cache.put(key(image), batch[image]);
  EXPECT_TRUE(cache.find(key(0)));  // now the most recent
  cache.put(key(3), batch[3]);
  EXPECT_FALSE(cache.find(key(1)));
  EXPECT_TRUE(at::equal(*cache.find(key(0)), batch[0]));
  EXPECT_TRUE(at::equal(*cache.find(key(3)), batch[3]));
  EXPECT_EQ(cache.n_entries(), 3U);
  EXPECT_LE(cache.size_bytes(), 3U * (400 + 20));
  cache.put(key(4), batch);  // 4,000 bytes: larger than the cache
  EXPECT_EQ(cache.n_entries(), 3U);
  EXPECT_FALSE(cache.find({"0", "net2", "tap"}));
  EXPECT_FALSE(cache.find({"0n", "et", "tap"}));
}

TEST(FeatureExtractor, CachedFeaturesAreThoseOfTheNetwork) {
  FeatureCache cache(1 << 20);
  const FeatureRequest request{
      .network = "efficientnet_lite_test", .taps = {"stage.2", "pooled"}, .weights = "random:3"};
  const FeatureExtractor plain(request, {}), cached(request, {.cache = &cache});
  const auto images = random_tensor({5, 3, 32, 32});
  std::vector<std::string> digests;
  for (std::int64_t image = 0; image < 5; ++image) digests.push_back(tensor_digest(images[image]));
  const auto expected = plain.extract(images);
  cached.extract(images.narrow(0, 1, 2), std::span(digests).subspan(1, 2));
  EXPECT_EQ(cache.n_entries(), 4U);
  EXPECT_TRUE(same_bits(cached.extract(images, digests), expected));
  EXPECT_EQ(cache.n_entries(), 10U);
  EXPECT_TRUE(same_bits(cached.extract(images, digests), expected));
  EXPECT_TRUE(same_bits(plain.extract(images, digests), expected));
  EXPECT_EQ(plain.fingerprint(), cached.fingerprint());
  EXPECT_EQ(error_of([&] { cached.extract(images, std::span(digests).first(4)); }).code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([] { FeatureExtractor({.network = "resnet_tset"}, {}); }).code(),
            ErrorCode::kNotFound);
}

/// Something like a photograph: noise at several scales.
at::Tensor clouds(std::int64_t size) {
  at::Tensor sum = at::zeros({4, 3, size, size});
  for (std::int64_t cells = 4; cells <= size; cells *= 2) {
    const auto noise = random_tensor({4, 3, cells, cells}, "clouds " + std::to_string(cells));
    const std::int64_t to[] = {size, size};
    sum = sum + at::upsample_bilinear2d(noise, to, false) * (4.0 / static_cast<double>(cells));
  }
  return sum / sum.abs().max();
}

// bfloat16 keeps 8 bits. On 32 real photographs the mean is 0.996, ours and PyTorch's alike
// (docs/benchmarks.md).
TEST(RealWeights, Bfloat16PatchesPointWhereFloat32OnesDo) {
  const NetworkEnvironment environment;
  if (!std::filesystem::exists(default_weights_folder() / "efficientnet_lite0.safetensors")) {
    GTEST_SKIP() << "no weights of efficientnet_lite0 in " << default_weights_folder();
  }
  FeatureRequest request{
      .taps = {"stage.3", "stage.5", "stage.7"}, .height_px = 256, .width_px = 256};
  const auto images = clouds(256);
  const auto exact = FeatureExtractor(request, environment).extract(images);
  request.precision = "bf16";
  const auto rounded = FeatureExtractor(request, environment).extract(images);
  for (std::size_t tap = 0; tap < exact.size(); ++tap) {
    const auto cosine = at::cosine_similarity(exact[tap], rounded[tap], 1);
    EXPECT_GT(cosine.mean().item<double>(), 0.995) << request.taps[tap];
  }
}

}  // namespace
}  // namespace cadenza
