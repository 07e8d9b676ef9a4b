#include "cadenza/memory/patch_coreset.h"

#include <cmath>

#include "tests/support/error_of.h"
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cadenza {
namespace {

at::Tensor some_patches() {
  at::manual_seed(3);
  return at::rand({5, 6, 4});
}

TEST(PatchCoreset, KeepsWhichImageARowCameFrom) {
  const auto patches = some_patches();
  for (const auto sampler : {PatchSampler::kExact, PatchSampler::kProjected}) {
    const auto picked = pick_patches(patches, 7, {.sampler = sampler, .stream = "a"});
    ASSERT_EQ(picked.rows.size(0), 7);
    for (std::int64_t row = 0; row < 7; ++row) {
      const auto& image = patches[picked.owners[static_cast<std::size_t>(row)]];
      EXPECT_TRUE((image == picked.rows[row]).all(1).any().item<bool>());
    }
    const auto fewer = pick_patches(patches, 3, {.sampler = sampler, .stream = "a"});
    EXPECT_TRUE(fewer.rows.equal(picked.first(3).rows));
    EXPECT_EQ(fewer.owners, picked.first(3).owners);
  }
}

TEST(PatchCoreset, OtherSeedsAndTasksPickOtherProjectedRows) {
  const auto patches = some_patches();
  const auto rows = [&](std::uint64_t seed, const std::string& stream) {
    return pick_patches(patches, 7,
                        {.sampler = PatchSampler::kProjected, .seed = seed, .stream = stream})
        .rows;
  };
  EXPECT_TRUE(rows(1, "a").equal(rows(1, "a")));
  EXPECT_FALSE(rows(1, "a").equal(rows(2, "a")));
  EXPECT_FALSE(rows(1, "a").equal(rows(1, "b")));
}

TEST(PatchCoreset, TakesAllWhereThereAreFewer) {
  EXPECT_EQ(pick_patches(some_patches(), 1000, {}).rows.size(0), 30);
}

TEST(PatchCoreset, LeftOutDistancesAreThoseToOtherImagesRows) {
  const auto patches = some_patches();
  const auto picked = pick_patches(patches, 9, {});
  const auto found = left_out_distances(picked, patches);
  for (std::int64_t image = 0; image < 5; ++image) {
    for (std::int64_t patch = 0; patch < 6; ++patch) {
      double least = INFINITY;
      for (std::int64_t row = 0; row < 9; ++row) {
        if (picked.owners[static_cast<std::size_t>(row)] == image) continue;
        least = std::min(least, (patches[image][patch] - picked.rows[row]).norm().item<double>());
      }
      EXPECT_NEAR(found[image][patch].item<double>(), least, 1e-6);
    }
  }
}

TEST(PatchCoreset, NamesWhatDoesNotFit) {
  EXPECT_EQ(error_of([] { pick_patches(at::zeros({2, 3}), 1, {}); }).code(),
            ErrorCode::kInvalidArgument);
  EXPECT_THAT(error_of([] { pick_patches(some_patches(), 0, {}); }).what(),
              testing::HasSubstr("at least one"));
  EXPECT_THAT(error_of([] { parse_patch_sampler("random"); }).what(),
              testing::HasSubstr("greedy_coreset or approx_greedy_coreset"));
}

}  // namespace
}  // namespace cadenza
