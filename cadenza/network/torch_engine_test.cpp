#include "cadenza/network/torch_engine.h"

#include "tests/support/error_of.h"
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include "cadenza/base/rng.h"
#include "cadenza/network/efficientnet/efficientnet.h"
#include "cadenza/network/registry.h"

namespace cadenza {
namespace {

using Tensors = std::vector<at::Tensor>;

at::Tensor random_tensor(at::IntArrayRef sizes, const std::string& stream, double largest = 1) {
  auto tensor = at::empty(sizes, at::kFloat);
  Rng rng(1, stream);
  for (auto& value : std::span(tensor.data_ptr<float>(), tensor.numel())) {
    value = static_cast<float>(rng.uniform(-largest, largest));
  }
  return tensor;
}

Graph describe(const std::string& name, const GraphRequest& request) {
  return builtin_networks().find(name).describe(request);
}

std::shared_ptr<const Weights> generated(const Graph& graph) {
  return std::make_shared<Weights>(random_weights(graph, 5));
}

/// Checks the gradient of `loss` with respect to `leaf` along a random direction.
void expect_gradient(at::Tensor leaf, const std::function<at::Tensor()>& loss,
                     const std::string& name, double step) {
  leaf.mutable_grad() = at::Tensor();
  loss().backward();
  ASSERT_TRUE(leaf.grad().defined()) << name;
  const auto direction = random_tensor(leaf.sizes(), "direction " + name);
  const auto analytic = (leaf.grad() * direction).sum().item<double>();
  const c10::NoGradGuard no_grad;
  const auto at_offset = [&](double offset) {
    leaf.add_(direction, offset);
    const auto value = loss().to(at::kDouble).item<double>();
    leaf.sub_(direction, offset);
    return value;
  };
  const auto numeric = (at_offset(step) - at_offset(-step)) / (2 * step);
  EXPECT_NEAR(analytic, numeric, 0.02 * std::abs(numeric) + 1e-4) << name;
}

TEST(TorchEngine, GradientsOfPrefixesAndWeightsAreThoseOfFiniteDifferences) {
  const auto graph =
      describe("vit_test", {.taps = {"norm"}, .prefix = {.n_tokens = 2, .n_blocks = 2}});
  const TorchEngine engine(graph, generated(graph),
                           {.trainable = {"blocks.1.attn.qkv.weight", "norm.bias", "pos_embed"}});
  Tensors inputs;
  for (const auto index : graph.inputs()) {
    auto sizes = graph.nodes()[index].shape;
    sizes[0] = 2;
    inputs.push_back(random_tensor(sizes, "input " + std::to_string(index)));
    inputs.back().set_requires_grad(true);
  }
  const auto target = random_tensor({2, 17, 32}, "target");
  const auto loss = [&] { return (engine.run(inputs)[0].to(at::kDouble) * target).sum(); };
  for (std::size_t input = 0; input < inputs.size(); ++input) {
    expect_gradient(inputs[input], loss, "input " + std::to_string(input), 1e-2);
  }
  for (const auto& [name, leaf] : engine.trainable()) expect_gradient(leaf, loss, name, 1e-2);
}

TEST(TorchEngine, GradientsReachKernelDeltasThroughTheFold) {
  Injection injection{.kernel = [](Graph& g, const InjectionSite& site, GraphValue kernel) {
    return site.name == "s2b2" ? g.add(kernel, g.input("delta", site.kernel_shape)) : kernel;
  }};
  // Not a Lite variant: the kinks of ReLU6 are no place for finite differences.
  const EfficientNetSpec smooth{
      .lite = false, .size_px = 32, .n_stages = 3, .channels_of_stage_one = 8};
  const auto graph = describe_efficientnet(smooth, {.taps = {"stage.3"}, .injection = injection});
  const TorchEngine engine(graph, generated(graph), {.trainable = {"_blocks.2._bn1.weight"}});
  Tensors inputs{random_tensor({2, 3, 32, 32}, "image"), at::Tensor()};
  const auto& delta_shape = graph.nodes()[graph.inputs()[1]].shape;
  inputs[1] = random_tensor(delta_shape, "delta", 0.1).set_requires_grad(true);
  ASSERT_EQ(graph.input_index("delta"), 1U);
  const auto target = random_tensor({2, 24, 4, 4}, "target");
  const auto loss = [&] { return (engine.run(inputs)[0].to(at::kDouble) * target).sum(); };
  expect_gradient(inputs[1], loss, "delta", 1e-2);
  expect_gradient(engine.trainable().begin()->second, loss, "gain", 1e-2);
}

TEST(TorchEngine, RecordsTheInputOfALayer) {
  const auto graph = describe("resnet_test", {.taps = {"stage.1", "logits"}});
  const TorchEngine engine(graph, generated(graph), {.trainable = {"layer2.0.conv1.weight"}});
  const Tensors inputs{random_tensor({2, 3, 32, 32}, "image")};
  const std::vector<std::string> layers{"layer2.0.conv1.weight", "fc.weight"};
  const auto recorded = engine.run_recording(inputs, layers);
  EXPECT_TRUE(at::equal(recorded.layer_inputs.at("layer2.0.conv1.weight"), recorded.outputs[0]));
  EXPECT_EQ(recorded.layer_inputs.at("fc.weight").sizes(), (at::IntArrayRef{2, 64}));
  const std::vector<std::string> wrong{"bn1.bias"};
  EXPECT_EQ(error_of([&] { engine.run_recording(inputs, wrong); }).code(), ErrorCode::kNotFound);
  EXPECT_EQ(
      error_of([&] { TorchEngine(graph, generated(graph), {.trainable = {"fc.wieght"}}); }).code(),
      ErrorCode::kNotFound);
}

// The path of every trained system: learn with LibTorch, serve with OpenVINO, no conversion.
TEST(TorchEngine, TrainsTheLastBlockOfEfficientNetLite0AndOpenvinoServesIt) {
  const auto graph = describe("efficientnet_lite0",
                              {.height_px = 64, .width_px = 64, .taps = {"stage.6", "stage.7"}});
  const auto weights = generated(graph);
  std::vector<std::string> last_block;
  for (const auto& [name, view] : weights->views()) {
    if (name.starts_with("_blocks.15.") && name.find("running") == std::string::npos) {
      last_block.push_back(name);
    }
  }
  ASSERT_EQ(last_block.size(), 9U);  // three convolutions, three gains, three biases
  const TorchEngine engine(graph, weights, {.trainable = last_block});
  const auto before = weights->digest(graph);
  const Tensors inputs{random_tensor({4, 3, 64, 64}, "images")};
  const auto target = random_tensor({4, 320, 2, 2}, "target", 0.3);

  std::vector<double> losses;
  for (int step = 0; step < 12; ++step) {
    const auto outputs = engine.run(inputs);
    EXPECT_FALSE(outputs[0].requires_grad()) << "frozen blocks take no part in the backward pass";
    const auto loss = (outputs[1] - target).square().mean();
    loss.backward();
    losses.push_back(loss.item<double>());
    const c10::NoGradGuard no_grad;
    for (const auto& [name, leaf] : engine.trainable()) {
      ASSERT_TRUE(leaf.grad().defined()) << name;
      leaf.sub_(leaf.grad(), 0.3);
      leaf.mutable_grad() = at::Tensor();
    }
  }
  EXPECT_LT(losses.back(), 0.7 * losses.front());

  const auto trained = engine.weights();
  for (const auto& [name, view] : trained->views()) {
    const bool learned = engine.trainable().contains(name);
    EXPECT_EQ(std::ranges::equal(view.data, weights->views().at(name).data), !learned) << name;
  }
  EXPECT_EQ(weights->digest(graph), before) << "the given weights are only read";
  EXPECT_EQ(engine.fingerprint(), TorchEngine(graph, trained).fingerprint());

  const auto expected = engine.run(inputs);
  const auto served = make_engine(graph, trained, {.kind = EngineKind::kOpenvino})->run(inputs);
  for (std::size_t tap = 0; tap < served.size(); ++tap) {
    const auto error = (served[tap] - expected[tap]).abs().max() / expected[tap].abs().max();
    EXPECT_LT(error.item<double>(), 1e-5);
  }
}

TEST(TorchEngine, TrainsInBfloat16WithFloat32Weights) {
  const auto graph = describe("resnet_test", {.taps = {"stage.2"}});
  const auto weights = generated(graph);
  const TorchOptions options{.precision = Precision::kBf16,
                             .channels_last = true,
                             .trainable = {"layer2.0.conv3.weight", "layer2.0.bn3.weight"}};
  const TorchEngine half(graph, weights, options);
  const TorchEngine full(graph, weights, {.trainable = options.trainable});
  const Tensors inputs{random_tensor({2, 3, 32, 32}, "image")};
  for (const auto* engine : {&half, &full}) engine->run(inputs)[0].square().mean().backward();
  for (const auto& [name, leaf] : half.trainable()) {
    EXPECT_EQ(leaf.grad().scalar_type(), at::kFloat);
    const auto cosine =
        at::cosine_similarity(leaf.grad().flatten(), full.trainable().at(name).grad().flatten(), 0);
    EXPECT_GT(cosine.item<double>(), 0.99) << name;
  }
}

}  // namespace
}  // namespace cadenza
