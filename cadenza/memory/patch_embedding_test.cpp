#include "cadenza/memory/patch_embedding.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace cadenza {
namespace {

TEST(PatchEmbedding, NothingAskedIsNothingDone) {
  const PatchEmbedding embedding({.n_channels = 6, .rows = 2, .columns = 3});
  const auto features = at::rand({2, 6, 6});
  EXPECT_EQ(embedding.dim(), 6);
  EXPECT_TRUE(embedding(features).equal(features));
}

TEST(PatchEmbedding, ASquareIsTakenChannelByChannelWithZerosOutside) {
  const PatchEmbedding embedding({.n_channels = 5, .rows = 3, .columns = 4, .patch_size = 3});
  ASSERT_EQ(embedding.dim(), 45);
  const auto features = at::rand({1, 12, 5});
  const auto found = embedding(features)[0];
  for (std::int64_t y = 0; y < 3; ++y) {
    for (std::int64_t x = 0; x < 4; ++x) {
      for (std::int64_t offset = 0; offset < 9; ++offset) {
        const auto row = y + offset / 3 - 1, column = x + offset % 3 - 1;
        const bool is_inside = row >= 0 && row < 3 && column >= 0 && column < 4;
        const auto wanted = is_inside ? features[0][row * 4 + column] : at::zeros({5});
        EXPECT_TRUE(at::equal(found[y * 4 + x].view({5, 9}).select(1, offset), wanted));
      }
    }
  }
}

TEST(PatchEmbedding, TwoAveragesAreThoseOfTorch) {
  const PatchEmbedding embedding(
      {.n_channels = 12, .rows = 1, .columns = 7, .embed_dim = 16, .target_dim = 5});
  const auto features = at::rand({3, 7, 12});
  const auto wanted = at::adaptive_avg_pool1d(at::adaptive_avg_pool1d(features, {16}), {5});
  EXPECT_EQ(embedding.dim(), 5);
  EXPECT_TRUE(at::allclose(embedding(features), wanted, 1e-5, 1e-6));
}

TEST(PatchEmbedding, FewerNumbersKeepTheDistances) {
  const PatchEmbeddingOptions longer = {.n_channels = 12, .rows = 1, .columns = 9, .embed_dim = 16};
  auto shorter = longer;
  shorter.keeps_distances_alone = true;
  shorter.target_dim = 16;  // the same size again: no second average
  const auto features = at::rand({1, 9, 12});
  const auto wanted = PatchEmbedding(longer)(features)[0];
  const auto found = PatchEmbedding(shorter)(features)[0];
  EXPECT_EQ(found.size(1), 12);
  EXPECT_TRUE(at::allclose(at::cdist(found, found), at::cdist(wanted, wanted), 1e-4, 1e-4));

  shorter.target_dim = 6;  // twice: averages, no shortening
  EXPECT_EQ(PatchEmbedding(shorter).dim(), 6);
}

}  // namespace
}  // namespace cadenza
