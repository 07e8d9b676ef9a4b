#include "cadenza/continual/learned_network.h"

#include "tests/support/error_of.h"
#include "tests/support/random_tensor.h"
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

namespace cadenza {
namespace {

LearnedNetworkRequest tiny(const std::string& network, const std::string& trainable) {
  return {.network = network,
          .weights = "random:3",
          .height_px = 32,
          .width_px = 32,
          .trainable = trainable};
}

double largest_difference(const at::Tensor& left, const at::Tensor& right) {
  return (left.detach() - right.detach()).abs().max().item<double>();
}

class EveryFamily : public testing::TestWithParam<std::string> {};

TEST_P(EveryFamily, TheFrozenBeginningChangesNeitherValuesNorGradients) {
  const LearnedNetwork whole(tiny(GetParam(), "all"), {}), end(tiny(GetParam(), "last_1"), {});
  EXPECT_LT(end.parameters().size(), whole.parameters().size());
  EXPECT_GT(end.parameters().size(), 0);
  EXPECT_EQ(end.fingerprint(), whole.fingerprint());
  const auto images = random_tensor({3, 3, 32, 32}, 1);
  const auto reference = whole.embeddings(images), found = end.embeddings(images);
  EXPECT_EQ(found.size(1), end.n_dimensions());
  EXPECT_LT(largest_difference(reference, found), 1e-4);
  EXPECT_LT(largest_difference(reference, end.infer(images)), 1e-4);
  reference.square().sum().backward();
  found.square().sum().backward();
  for (const auto& [name, parameter] : end.parameters()) {
    const auto& other = whole.parameters().at(name);
    EXPECT_LT(largest_difference(parameter.grad(), other.grad()),
              1e-3 * (1 + other.grad().abs().max().item<double>()))
        << name;
  }
}

TEST_P(EveryFamily, RefreshAndLoadFollowTheParameters) {
  LearnedNetwork network(tiny(GetParam(), "last_1"), {});
  const auto images = random_tensor({2, 3, 32, 32}, 1);
  const auto before = network.infer(images);
  {
    const c10::NoGradGuard no_grad;
    for (const auto& [name, parameter] : network.parameters()) at::Tensor(parameter).mul_(1.1);
  }
  EXPECT_TRUE(at::equal(before, network.infer(images)));
  network.refresh();
  EXPECT_GT(largest_difference(before, network.infer(images)), 1e-4);
  EXPECT_LT(largest_difference(network.infer(images), network.embeddings(images)), 1e-4);

  StatePiece state;
  network.save("network.", state);
  LearnedNetwork loaded(tiny(GetParam(), "last_1"), {});
  PieceReader reader(state, "shared");
  loaded.load("network.", reader);
  reader.finish();
  EXPECT_TRUE(at::equal(network.infer(images), loaded.infer(images)));
}

TEST_P(EveryFamily, NothingLearnedLeavesNoParameters) {
  const LearnedNetwork network(tiny(GetParam(), "none"), {});
  EXPECT_TRUE(network.parameters().empty());
  const auto images = random_tensor({2, 3, 32, 32}, 1);
  EXPECT_LT(largest_difference(network.infer(images), network.embeddings(images)), 1e-5);
}

/// The layer's own arithmetic on the columns gives what enters the next: checked by moving a weight
/// along one column's direction only, through the whole network's first learned layer.
TEST_P(EveryFamily, AnUpdateOrthogonalToTheInputsLeavesTheEmbeddingsAlone) {
  LearnedNetwork network(tiny(GetParam(), "last_1"), {});
  const auto images = random_tensor({1, 3, 32, 32}, 1);
  const c10::NoGradGuard no_grad;
  const auto before = network.embeddings(images);
  int n_layers = 0;
  for (const auto& [name, parameter] : network.parameters()) {
    const auto columns = network.layer_input(name, images);
    if (!columns.defined()) continue;
    ++n_layers;
    const auto d_in = parameter.numel() / parameter.size(0);
    ASSERT_EQ(columns.size(0), d_in) << name;
    const auto doubles = columns.to(at::kDouble);
    const auto [values, vectors] = at::linalg_eigh(doubles.matmul(doubles.t()));
    if (values[0].item<double>() > 1e-9 * values[-1].item<double>()) continue;  // no null space
    const auto update = vectors.select(1, 0).expand({parameter.size(0), d_in}).to(at::kFloat);
    const auto kept = parameter.clone();
    at::Tensor(parameter).add_(update.reshape(parameter.sizes()));
    EXPECT_LT(largest_difference(before, network.embeddings(images)), 1e-3) << name;
    at::Tensor(parameter).copy_(kept);
  }
  EXPECT_GT(n_layers, 0);
}

INSTANTIATE_TEST_SUITE_P(LearnedNetwork, EveryFamily,
                         testing::Values("efficientnet_lite_test", "resnet_test", "vit_test"),
                         [](const auto& instance) { return instance.param; });

TEST(LearnedNetwork, NamesTheValuesOfTrainable) {
  const auto error = error_of([] { LearnedNetwork(tiny("resnet_test", "last"), {}); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_STREQ(error.what(),
               "trainable 'last': expected all, none or last_K (for instance last_2)");
  EXPECT_EQ(error_of([] { LearnedNetwork(tiny("resnet_test", "last_9"), {}); }).code(),
            ErrorCode::kInvalidArgument);
}

TEST(LayerColumns, TimesTheKernelAreTheConvolution) {
  for (const std::int64_t groups : {1, 4}) {
    Graph graph;
    const auto x = graph.input("image", {kBatch, 4, 7, 7});
    const auto kernel = graph.weight("kernel", {8, 4 / groups, 3, 3});
    graph.output("out",
                 graph.conv(x, kernel, {}, {.stride = 2, .pads = {1, 0, 1, 2}, .groups = groups}));
    const auto input = random_tensor({2, 4, 7, 7}, 1),
               values = random_tensor({8, 4 / groups, 3, 3}, 2);
    const auto columns = layer_columns(graph, "kernel", input);
    const auto padded = at::constant_pad_nd(input, {0, 2, 1, 1});
    const std::vector<std::int64_t> stride = {2, 2}, none = {0, 0}, one = {1, 1};
    const auto wanted = at::conv2d(padded, values, {}, stride, none, one, groups);
    ASSERT_EQ(columns.size(0), 9 * 4 / groups);
    // Columns run over image, group, place; group g has the output channels [2g, 2g + 2).
    const auto n_places = wanted.size(2) * wanted.size(3);
    const auto by_group = columns.view({columns.size(0), 2, groups, n_places});
    for (std::int64_t group = 0; group < groups; ++group) {
      const auto n_out = 8 / groups;
      const auto part = values.slice(0, group * n_out, (group + 1) * n_out).reshape({n_out, -1});
      const auto found = part.matmul(by_group.select(2, group).reshape({columns.size(0), -1}));
      const auto expected = wanted.slice(1, group * n_out, (group + 1) * n_out)
                                .permute({1, 0, 2, 3})
                                .reshape({n_out, -1});
      EXPECT_LT(largest_difference(found, expected), 1e-5);
    }
  }
}

}  // namespace
}  // namespace cadenza
