// Vectors A (ViT, prompt, contrastive loss and its gradients) and B (features, coreset, scores,
// map) of the ucad specification, section 7.2. Expected numbers are those of the authors' modules
// in double precision; ours are float32, so tolerances are those of section 7.1.
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "cadenza/memory/nearest.h"
#include "cadenza/memory/patch_scores.h"
#include "cadenza/memory/projected_coreset.h"
#include "cadenza/method/ucad/prompt.h"
#include "cadenza/network/registry.h"
#include "cadenza/network/torch_engine.h"
#include "cadenza/structure/contrastive/scl.h"
#include "cadenza/tensor/channel_pool.h"

namespace cadenza {
namespace {

/// fill(seed, shape, scale, offset) of section 7.2.
at::Tensor fill(std::uint64_t seed, const std::vector<std::int64_t>& shape, double scale,
                double offset = 0) {
  auto values = at::empty(shape, at::kFloat);
  auto* value = values.mutable_data_ptr<float>();
  for (std::int64_t index = 0; index < values.numel(); ++index) {
    std::uint64_t z = (seed << 32) + static_cast<std::uint64_t>(index) + 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    z ^= z >> 31;
    const auto uniform = static_cast<float>(static_cast<double>(z >> 40) * 0x1p-23 - 1);
    value[index] = static_cast<float>(offset + scale * uniform);
  }
  return values;
}

constexpr int kBlocks = 6;

/// The weights of vector A that a graph up to block 5 needs.
std::shared_ptr<const Weights> vector_weights() {
  auto weights = std::make_shared<Weights>();
  const auto set = [&](const std::string& name, const at::Tensor& value) {
    weights->set(name, weight_of(value));
  };
  set("patch_embed.proj.weight", fill(1, {768, 3, 16, 16}, .06));
  set("patch_embed.proj.bias", fill(2, {768}, .02));
  set("cls_token", fill(3, {1, 1, 768}, .02));
  set("pos_embed", fill(4, {1, 197, 768}, .05));
  for (int block = 0; block < kBlocks; ++block) {
    const auto name = "blocks." + std::to_string(block) + ".";
    const auto seed = 100 * static_cast<std::uint64_t>(block + 1);
    set(name + "norm1.weight", fill(seed, {768}, .1, 1));
    set(name + "norm1.bias", fill(seed + 1, {768}, .1));
    set(name + "attn.qkv.weight", fill(seed + 2, {2304, 768}, .06));
    set(name + "attn.qkv.bias", fill(seed + 3, {2304}, .05));
    set(name + "attn.proj.weight", fill(seed + 4, {768, 768}, .04));
    set(name + "attn.proj.bias", fill(seed + 5, {768}, .02));
    set(name + "norm2.weight", fill(seed + 6, {768}, .1, 1));
    set(name + "norm2.bias", fill(seed + 7, {768}, .1));
    set(name + "mlp.fc1.weight", fill(seed + 8, {3072, 768}, .05));
    set(name + "mlp.fc1.bias", fill(seed + 9, {3072}, .02));
    set(name + "mlp.fc2.weight", fill(seed + 10, {768, 3072}, .03));
    set(name + "mlp.fc2.bias", fill(seed + 11, {768}, .02));
  }
  return weights;
}

class VitOfVectorA {
 public:
  explicit VitOfVectorA(int n_prompted)
      : engine_(builtin_networks()
                    .find("vit_base_patch16")
                    .describe(
                        {.taps = {"tokens.5"}, .prefix = {.n_tokens = 1, .n_blocks = n_prompted}}),
                vector_weights()) {}

  /// seg_feat [B,196,768].
  at::Tensor features(const at::Tensor& images, const std::vector<at::Tensor>& prefix = {}) const {
    std::vector<at::Tensor> inputs = {images};
    inputs.insert(inputs.end(), prefix.begin(), prefix.end());
    return engine_.run(inputs)[0].slice(1, 1);
  }

 private:
  TorchEngine engine_;
};

at::Tensor images_of_a() { return fill(6, {3, 3, 224, 224}, 2); }

void expect_numbers(const at::Tensor& found, const std::vector<double>& wanted, double tolerance) {
  ASSERT_EQ(found.numel(), std::ssize(wanted));
  for (std::int64_t index = 0; index < found.numel(); ++index) {
    EXPECT_NEAR(found[index].item<double>(), wanted[static_cast<std::size_t>(index)], tolerance);
  }
}

TEST(A, PlainFeatures) {
  const c10::NoGradGuard no_grad;
  const auto found = VitOfVectorA(0).features(images_of_a());
  expect_numbers(found[0][0].slice(0, 0, 3), {1.46911399, 0.50154806, 0.95924468}, 2e-5);
  expect_numbers(found[2][195].slice(0, 765, 768), {1.53795856, -2.57794228, 1.22723712}, 2e-5);
  EXPECT_NEAR(found.to(at::kDouble).mean().item<double>(), 0.00629492567, 1e-6);
  EXPECT_NEAR(found.to(at::kDouble).std(false).item<double>(), 1.68137234, 1e-5);
}

TEST(A, PromptedFeaturesLossAndGradients) {
  const c10::AutoGradMode recording(true);
  const auto prompt = fill(5, {12, 2, 768}, 1)
                          .slice(0, 0, kBlocks)
                          .view({kBlocks, 2, 1, 768})
                          .clone()
                          .requires_grad_();
  const auto for_all = prompt.unsqueeze(0).expand({3, kBlocks, 2, 1, 768});
  const auto found = VitOfVectorA(kBlocks).features(
      images_of_a(), prompt_tokens(for_all, PromptMixing::kReleased));
  const auto values = found.detach();
  expect_numbers(values[0][0].slice(0, 0, 3), {1.47249286, 0.49649925, 0.94486975}, 2e-5);
  expect_numbers(values[1][100].slice(0, 0, 3), {1.67033584, 2.79371444, -0.16706141}, 2e-5);
  expect_numbers(values[2][195].slice(0, 765, 768), {1.52791729, -2.57598958, 1.23315043}, 2e-5);
  EXPECT_NEAR(values.to(at::kDouble).mean().item<double>(), 0.00632119922, 1e-6);
  EXPECT_NEAR(values.to(at::kDouble).std(false).item<double>(), 1.68071686, 1e-5);

  const auto squares = at::arange(14).floor_divide(5);
  const auto labels = (squares.unsqueeze(1) * 3 + squares).view({1, 196}).expand({3, 196});
  const auto loss = structure_contrastive_loss(found, labels, 0.5);
  EXPECT_NEAR(loss.item<double>(), 1.2035815738, 1.2e-6);
  loss.backward();
  const auto gradient = prompt.grad().to(at::kDouble).squeeze(2);  // [blocks,2,768]
  const std::array<std::array<double, 2>, kBlocks> norms = {{{8.54506e-5, 1.692109e-4},
                                                             {7.16924e-5, 1.403011e-4},
                                                             {6.97630e-5, 1.266830e-4},
                                                             {6.07071e-5, 1.080730e-4},
                                                             {5.27834e-5, 8.35728e-5},
                                                             {5.24707e-5, 7.25720e-5}}};
  for (std::int64_t block = 0; block < kBlocks; ++block) {
    for (std::int64_t part = 0; part < 2; ++part) {
      const double wanted = norms[static_cast<std::size_t>(block)][static_cast<std::size_t>(part)];
      EXPECT_NEAR(gradient[block][part].norm().item<double>(), wanted, 1e-4 * wanted);
    }
  }
  constexpr double kTotal = 3.38864658e-4;
  EXPECT_NEAR(gradient.norm().item<double>(), kTotal, 1e-4 * kTotal);
  expect_numbers(gradient[0][0].slice(0, 0, 2), {1.2176575e-6, 6.1976335e-6}, 1e-4 * kTotal);
  expect_numbers(gradient[5][1].slice(0, 766, 768), {8.309933e-7, -3.9826239e-6}, 1e-4 * kTotal);
}

TEST(B, FeaturesCoresetScoresAndMap) {
  const c10::NoGradGuard no_grad;
  const VitOfVectorA network(0);
  const ChannelPool pool(768, 1024);
  const auto rows = pool.pool(network.features(images_of_a())).reshape({588, 1024});
  expect_numbers(rows[0].slice(0, 0, 4), {1.4691153, 0.9853309, 0.7303965, 0.9592464}, 2e-5);
  expect_numbers(rows[587].slice(0, 1020, 1024), {1.5379580, -0.5199932, -0.6753533, 1.2272379},
                 2e-5);

  std::vector<std::int64_t> start;
  for (std::int64_t row = 0; row < 500; row += 50) start.push_back(row);
  const auto picked =
      select_projected_coreset(rows, fill(7, {128, 1024}, 1. / 32), start, 196).clone();
  const std::vector<std::int64_t> first = {386, 280, 269, 500, 297, 361,
                                           333, 458, 368, 420, 179, 282};
  for (std::int64_t index = 0; index < std::ssize(first); ++index) {
    EXPECT_EQ(picked[index].item<std::int64_t>(), first[static_cast<std::size_t>(index)]);
  }
  const std::vector<std::int64_t> last = {150, 131, 183, 536};
  for (std::int64_t index = 0; index < 4; ++index) {
    EXPECT_EQ(picked[192 + index].item<std::int64_t>(), last[static_cast<std::size_t>(index)]);
  }
  EXPECT_EQ(picked.sum().item<std::int64_t>(), 58304);

  const PackedBank bank(rows.index_select(0, picked));
  const auto queries = pool.pool(network.features(fill(8, {2, 3, 224, 224}, 2)));
  const auto scores = nearest_distances(bank, queries).square();
  const double relative = 1e-4;
  EXPECT_NEAR(scores[0][0].item<double>(), 3193.671, 3193.671 * relative);
  EXPECT_NEAR(scores[0][100].item<double>(), 2855.827, 2855.827 * relative);
  EXPECT_NEAR(scores[0][195].item<double>(), 3012.992, 3012.992 * relative);
  EXPECT_NEAR(scores[0].max().item<double>(), 3408.171, 3408.171 * relative);
  EXPECT_NEAR(scores[1].max().item<double>(), 3418.037, 3418.037 * relative);

  const auto maps = patch_map(scores, 14, 14, {});
  const auto expect_map = [&](std::int64_t y, std::int64_t x, double wanted) {
    EXPECT_NEAR(maps[0][y][x].item<double>(), wanted, wanted * 1e-5);
  };
  expect_map(0, 0, 3191.817);
  expect_map(112, 112, 3039.869);
  expect_map(223, 223, 3012.541);
  expect_map(50, 200, 3044.282);
  EXPECT_NEAR(maps.to(at::kDouble).mean().item<double>(), 3068.249, 3068.249 * 1e-5);

  // What is kept when compat is off has the same distances in 768 numbers.
  const auto short_rows = pool.distance_preserving(network.features(images_of_a()));
  const PackedBank short_bank(short_rows.reshape({588, 768}).index_select(0, picked));
  const auto short_queries =
      pool.distance_preserving(network.features(fill(8, {2, 3, 224, 224}, 2)));
  const auto short_scores = nearest_distances(short_bank, short_queries).square();
  EXPECT_LT((short_scores - scores).abs().max().item<double>(), 3400 * 1e-5);
}

}  // namespace
}  // namespace cadenza
