#include "cadenza/network/graph.h"

#include "tests/support/error_of.h"
#include <gmock/gmock.h>

#include "cadenza/network/registry.h"
#include "cadenza/network/weights.h"

namespace cadenza {
namespace {

using testing::HasSubstr;

WeightView zeros(Shape shape, std::size_t n) {
  auto buffer = std::make_shared<std::vector<float>>(n);
  return {std::move(shape), *buffer, buffer};
}

TEST(Graph, ShapeErrorsNameBothShapes) {
  Graph g;
  const auto image = g.input("image", {kBatch, 3, 8, 8});
  const auto kernel = g.weight("w", {4, 5, 3, 3});
  const auto conv = error_of([&] { g.conv(image, kernel, {}, {}); });
  EXPECT_EQ(conv.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(conv.what(), HasSubstr("[B,3,8,8]"));
  EXPECT_THAT(conv.what(), HasSubstr("[4,5,3,3]"));

  const auto tokens = g.reshape(image, {kBatch, 3, 64});
  const auto other = g.input("other", {kBatch, 2, 64});
  for (const auto& error : {error_of([&] { g.add(tokens, other); }),
                            error_of([&] { g.attention(tokens, other, tokens, 1); }),
                            error_of([&] { g.concat({tokens, other}, 2); })}) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.what(), HasSubstr("[B,3,64]"));
    EXPECT_THAT(error.what(), HasSubstr("[B,2,64]"));
  }
  for (const auto& error :
       {error_of([&] { g.reshape(image, {kBatch, 3, 65}); }),
        error_of([&] { g.linear(tokens, g.weight("m", {2, 63}), {}); }),
        error_of([&] { g.layer_norm(tokens, g.weight("n", {63}), g.weight("n", {64}), 1e-6F); }),
        error_of([&] { g.slice(tokens, 1, 2, 4); }), error_of([&] { g.slice(tokens, 3, 0, 1); }),
        error_of([&] { g.permute(tokens, {1, 0, 2}); }),
        error_of([&] { g.permute(tokens, {0, 1, 1}); }),
        error_of([&] { g.pool(image, {PoolKind::kMax, 9, 1, 0}); }),
        error_of([&] { g.global_mean(tokens); }), error_of([&] { g.resize(tokens, 2, 2, {}); }),
        error_of([&] { g.concat({}, 0); }), error_of([&] { g.concat({tokens, tokens}, 0); }),
        error_of([&] { g.input("image", {1}); })}) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << error.what();
  }
}

TEST(Graph, NamesMustBeKnownAndSingle) {
  Graph g;
  const auto image = g.input("image", {kBatch, 3, 8, 8});
  g.output("copy", image);
  EXPECT_EQ(error_of([&] { g.output("copy", image); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(g.input_index("image"), 0U);
  EXPECT_EQ(g.output_index("copy"), 0U);
  const auto error = error_of([&] { g.input_index("imag"); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(error.what(), HasSubstr("did you mean 'image'"));
  EXPECT_EQ(error_of([&] { g.output_index("x"); }).code(), ErrorCode::kNotFound);
}

TEST(Graph, PruningDropsWhatNoOutputNeeds) {
  Graph g;
  const auto image = g.input("image", {kBatch, 4});
  const auto unused = g.input("unused", {kBatch, 4});
  const auto kept = g.linear(image, g.weight("kept", {2, 4}), {});
  g.linear(g.add(image, unused), g.weight("gone", {2, 4}), {});
  g.output("y", kept);
  g.prune();
  EXPECT_EQ(g.nodes().size(), 3U);
  EXPECT_EQ(g.inputs().size(), 1U);
  EXPECT_DOUBLE_EQ(g.macs(), 8);
}

TEST(Graph, DigestTellsGraphsApart) {
  const auto registry = builtin_networks();
  const auto& entry = registry.find("efficientnet_lite_test");
  const auto digest = [&](GraphRequest request) { return entry.describe(request).digest(); };
  const auto plain = digest({.taps = {"stage.2"}});
  EXPECT_EQ(plain, digest({.taps = {"stage.2"}}));
  EXPECT_NE(plain, digest({.taps = {"stage.3"}}));
  EXPECT_NE(plain, digest({.height_px = 64, .taps = {"stage.2"}}));
  EXPECT_NE(plain, digest({.taps = {"stage.2"}, .bytes_in = true}));
}

// What the papers and model zoos publish; those of Lite count additions of its norms too, 6 %.
TEST(Networks, CostWhatTheirPapersSay) {
  const auto registry = builtin_networks();
  const auto gmacs = [&](const char* name, std::int64_t size = 0) {
    return registry.find(name)
               .describe({.height_px = size, .width_px = size, .taps = {"logits"}})
               .macs() /
           1e9;
  };
  EXPECT_NEAR(gmacs("efficientnet_lite0"), 0.407, 0.06 * 0.407);
  EXPECT_NEAR(gmacs("efficientnet_lite1"), 0.631, 0.06 * 0.631);
  EXPECT_NEAR(gmacs("efficientnet_lite2"), 0.899, 0.06 * 0.899);
  EXPECT_NEAR(gmacs("resnet18"), 1.82, 0.02);
  EXPECT_NEAR(gmacs("resnet50"), 4.11, 0.03);
  EXPECT_NEAR(gmacs("wide_resnet50_2"), 11.43, 0.05);
  EXPECT_NEAR(gmacs("vit_small_patch16"), 4.61, 0.02);
  EXPECT_NEAR(gmacs("vit_base_patch16"), 17.58, 0.03);
  EXPECT_NEAR(gmacs("convnext_base"), 15.38, 0.03);
}

TEST(Networks, TapsAreKnownBeforeBuilding) {
  const auto registry = builtin_networks();
  const auto tap = find_tap(registry.find("efficientnet_lite0"), "stage.5", 256, 256);
  EXPECT_EQ(tap.shape, (Shape{kBatch, 112, 16, 16}));
  EXPECT_EQ(tap.channels, 112);
  EXPECT_EQ(tap.stride_px, 16);
  EXPECT_EQ(find_tap(registry.find("vit_base_patch16"), "cls.11").shape, (Shape{kBatch, 768}));
  const auto error = error_of([&] { registry.find("resnet18").describe({.taps = {"stage.9"}}); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(error.what(), HasSubstr("stage.4"));
  EXPECT_EQ(error_of([&] { find_tap(registry.find("resnet18"), "nothing"); }).code(),
            ErrorCode::kNotFound);
}

TEST(Networks, RefuseWhatTheyCannotTake) {
  const auto registry = builtin_networks();
  const auto& vit = registry.find("vit_test");
  EXPECT_EQ(error_of([&] { vit.describe({.height_px = 30, .width_px = 32}); }).code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { vit.describe({.prefix = {.n_tokens = 1, .n_blocks = 3}}); }).code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] {
              vit.describe({.taps = {"block.0"}, .start_after = "tokens.0"});
              vit.describe({.taps = {"cls.0"}, .start_after = "tokens.1"});
            }).code(),
            ErrorCode::kInvalidArgument);
}

TEST(Weights, ErrorsNameTheWeightAndBothShapes) {
  Graph g;
  const auto x = g.input("x", {kBatch, 4});
  g.output("y", g.linear(x, g.weight("fc.weight", {2, 4}), g.weight("fc.bias", {2})));
  Weights weights;
  weights.set("fc.weight", zeros({2, 5}, 10));
  weights.set("fc.bia", zeros({2}, 2));
  const auto error = error_of([&] { weights.require(g); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("'fc.weight': expected [2,4], found [2,5]"));
  EXPECT_THAT(error.what(), HasSubstr("no weight 'fc.bias' among 2; nearest: 'fc.bia'"));
  EXPECT_EQ(error_of([&] { weights.at("zzz", {1}); }).code(), ErrorCode::kNotFound);
  EXPECT_EQ(error_of([&] { weights.set("w", zeros({3}, 2)); }).code(), ErrorCode::kInvalidArgument);
}

TEST(Weights, DigestCoversWhatTheGraphUsesAndNothingElse) {
  Graph g;
  g.output("y", g.linear(g.input("x", {kBatch, 4}), g.weight("w", {2, 4}), {}));
  auto weights = random_weights(g, 1);
  const auto digest = weights.digest(g);
  weights.set("unused", zeros({1}, 1));
  EXPECT_EQ(weights.digest(g), digest);
  EXPECT_NE(random_weights(g, 2).digest(g), digest);
}

TEST(Weights, AreFoundOrAskedFor) {
  const auto registry = builtin_networks();
  const auto& entry = registry.find("vit_test");
  const auto graph = entry.describe({.taps = {"block.1"}});
  const auto missing =
      error_of([&] { load_weights(entry, graph, {.weights_folder = "/nowhere"}); });
  EXPECT_EQ(missing.code(), ErrorCode::kNotFound);
  EXPECT_THAT(missing.what(), HasSubstr("/nowhere/vit_test.safetensors"));
  EXPECT_THAT(missing.what(), HasSubstr("cadenza weights import vit_test"));
  EXPECT_EQ(error_of([&] { load_weights(entry, graph, {}, "random:x"); }).code(),
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cadenza
