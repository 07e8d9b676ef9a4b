// Section 8 of the dual_prompt specification: what prompts do to a network, on both families.
#include <cmath>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "cadenza/method/dual_prompt/prompted_network.h"
#include "cadenza/network/torch_engine.h"

namespace cadenza::dual_prompt {
namespace {

/// A network of generated weights, prompts in all of its blocks.
struct Subject {
  explicit Subject(const std::string& name) : entry(builtin_networks().find(name)) {
    settings.network = name;
    settings.size_px = entry.size_px;
    settings.sites = list_injection_sites(entry);
    settings.kernel_prompt = settings.mask_prompt = settings.trains_scale = true;
    settings.head_dim = 0;
    settings.epochs = 1;
    settings.analysis_tap = settings.sites.back().name;
    weights = load_weights(entry, graph(""), {}, "random:3");
  }

  Graph graph(const std::string& from) const {
    return entry.describe({.taps = {settings.analysis_tap}, .start_after = from});
  }
  Graph prompted_graph(const std::string& from) const {
    return describe_prompted(entry, settings, from, settings.analysis_tap);
  }
  at::Tensor images() const {
    at::manual_seed(5);
    return at::randn({2, 3, entry.size_px, entry.size_px});
  }
  /// No change, and no head.
  DualPrompt zero() const { return initial_prompt(settings, /*n_channels=*/1, /*seed=*/0); }
  at::Tensor run(const Engine& engine, const at::Tensor& first, const DualPrompt& prompt) const {
    return engine.run(prompted_inputs(engine.graph(), settings, first, prompt))[0];
  }
  at::Tensor weight(const std::string& name) const { return tensor_of(weights->views().at(name)); }

  NetworkEntry entry;
  DualPromptSettings settings{};
  std::shared_ptr<const Weights> weights;
};

const std::vector<std::string> kTiny = {"convnext_test", "efficientnet_lite_test"};

TEST(identity, ZeroPromptsAreThePlainNetworkBitForBit) {
  const c10::NoGradGuard no_grad;
  for (const auto* name : {"convnext_test", "efficientnet_lite_test", "efficientnet_lite0"}) {
    SCOPED_TRACE(name);
    const Subject subject(name);
    const TorchEngine plain(subject.graph(""), subject.weights);
    const TorchEngine prompted(subject.prompted_graph(""), subject.weights);
    const auto images = subject.images();
    const at::Tensor inputs[] = {images};
    const auto wanted = plain.run(inputs)[0];
    EXPECT_TRUE(subject.run(prompted, images, subject.zero()).equal(wanted));

    auto other = subject.zero();
    other["mask." + subject.settings.sites.back().name].fill_(0.1F);
    EXPECT_FALSE(subject.run(prompted, images, other).equal(wanted));
  }
}

TEST(identity, TheServingEngineKeepsIt) {
  const c10::NoGradGuard no_grad;
  for (const auto& name : kTiny) {
    SCOPED_TRACE(name);
    const Subject subject(name);
    const auto plain = make_engine(subject.graph(""), subject.weights, {});
    const auto prompted = make_engine(subject.prompted_graph(""), subject.weights, {});
    const auto images = subject.images();
    const at::Tensor inputs[] = {images};
    const auto wanted = plain->run(inputs)[0];
    const auto found = subject.run(*prompted, images, subject.zero());
    // Kernels that are inputs take another path through OpenVINO than constant ones.
    EXPECT_TRUE(at::allclose(found, wanted, /*rtol=*/1e-5, /*atol=*/1e-5))
        << (found - wanted).abs().max().item<float>();
  }
}

/// The graph with the outputs of its depthwise convolutions, in the order of the sites.
Graph with_depthwise_outputs(const Subject& subject) {
  auto graph = subject.prompted_graph("");
  std::size_t site = 0;
  for (int node = 0; node < std::ssize(graph.nodes()); ++node) {
    const auto* conv = std::get_if<op::Conv>(&graph.nodes()[static_cast<std::size_t>(node)].op);
    if (conv && conv->groups > 1)
      graph.output("depthwise." + subject.settings.sites[site++].name, {node});
  }
  EXPECT_EQ(site, subject.settings.sites.size());
  return graph;
}

std::string block_name(const Subject& subject, std::size_t site_index) {
  if (subject.entry.family == "efficientnet") return cat("_blocks.", site_index, '.');
  const auto& site = subject.settings.sites[site_index];
  return cat("stages.", site.stage - 1, ".blocks.", site.block - 1, '.');
}

/// What the convolution adds to every place: its bias, or that of the batch norm behind it.
at::Tensor bias_of(const Subject& subject, std::size_t site) {
  const auto block = block_name(subject, site);
  if (subject.entry.family != "efficientnet") return subject.weight(block + "conv_dw.bias");
  const auto gain = subject.weight(block + "_bn1.weight") /
                    (subject.weight(block + "_bn1.running_var") + 1e-3).sqrt();
  return subject.weight(block + "_bn1.bias") - subject.weight(block + "_bn1.running_mean") * gain;
}

TEST(bias, AKernelPromptThatTakesTheKernelAwayLeavesTheBias) {
  const c10::NoGradGuard no_grad;
  for (const auto& name : kTiny) {
    SCOPED_TRACE(name);
    const Subject subject(name);
    const TorchEngine engine(with_depthwise_outputs(subject), subject.weights);
    const bool is_convnext = subject.entry.family == "convnext";
    auto prompt = subject.zero();
    for (std::size_t site = 0; site < subject.settings.sites.size(); ++site) {
      const auto kernel =
          block_name(subject, site) + (is_convnext ? "conv_dw.weight" : "_depthwise_conv.weight");
      prompt["delta." + subject.settings.sites[site].name] = -subject.weight(kernel);
    }
    const auto outputs =
        engine.run(prompted_inputs(engine.graph(), subject.settings, subject.images(), prompt));
    ASSERT_EQ(outputs.size(), subject.settings.sites.size() + 1);
    for (std::size_t site = 0; site < subject.settings.sites.size(); ++site) {
      const auto wanted = bias_of(subject, site).view({1, -1, 1, 1}).expand_as(outputs[site + 1]);
      if (is_convnext) {
        EXPECT_TRUE(outputs[site + 1].equal(wanted));
      } else {
        EXPECT_TRUE(at::allclose(outputs[site + 1], wanted, 1e-5, 1e-6));  // the fold rounds
      }
    }
  }
}

/// A loss that no symmetry makes flat.
at::Tensor loss_of(const at::Tensor& features) {
  at::manual_seed(9);
  return (features * at::randn_like(features)).sin().sum();
}

TEST(mask_gradient, AtZeroIsTheInputTimesItsGradient) {
  const c10::AutoGradMode recording(true);
  for (const auto& name : kTiny) {
    const Subject subject(name);
    for (const auto& site : subject.settings.sites) {
      SCOPED_TRACE(name + ' ' + site.name);
      const auto cut = tap_before(subject.entry, site);
      at::manual_seed(7);
      const auto x = at::randn({2, site.input_shape[1], site.input_shape[2], site.input_shape[3]});

      const TorchEngine prompted(subject.prompted_graph(cut), subject.weights);
      auto prompt = subject.zero();
      const auto key = "mask." + site.name;
      prompt[key].requires_grad_();
      loss_of(subject.run(prompted, x, prompt)).backward();
      const auto gradient = prompt[key].grad();

      // By definition: what enters the block of the plain network is the gated x at M = 0.
      const TorchEngine plain(subject.graph(cut), subject.weights);
      const auto gated = x.clone().requires_grad_();
      const at::Tensor inputs[] = {gated};
      loss_of(plain.run(inputs)[0]).backward();
      const auto wanted = (x * gated.grad()).sum({0, 1}, /*keepdim=*/true);
      const auto scale = wanted.abs().max().item<double>();
      ASSERT_GT(scale, 0);
      EXPECT_LT((gradient - wanted).abs().max().item<double>(), 1e-5 * scale);

      // By differences along a random direction.
      const c10::NoGradGuard no_grad;
      at::manual_seed(11);
      const auto direction = at::randn_like(gradient);
      constexpr double kStep = 2e-3;
      const auto at_step = [&](double step) {
        auto moved = subject.zero();
        moved[key] = direction * step;
        return loss_of(subject.run(prompted, x, moved)).item<double>();
      };
      const double slope = (at_step(kStep) - at_step(-kStep)) / (2 * kStep);
      const double along = (gradient * direction).sum().item<double>();
      const double size = gradient.norm().item<double>() * direction.norm().item<double>();
      EXPECT_NEAR(slope, along, 0.02 * size);
    }
  }
}

}  // namespace
}  // namespace cadenza::dual_prompt
