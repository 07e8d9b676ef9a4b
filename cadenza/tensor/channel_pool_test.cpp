#include "cadenza/tensor/channel_pool.h"

#include "tests/support/error_of.h"
#include "tests/support/random_tensor.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace cadenza {
namespace {

using Sizes = std::pair<std::int64_t, std::int64_t>;

class ChannelPools : public testing::TestWithParam<Sizes> {};

TEST_P(ChannelPools, AverageAsTorchDoes) {
  const auto [n_in, n_out] = GetParam();
  const auto features = random_tensor({2, 3, n_in}, 1);
  const auto pooled = ChannelPool(n_in, n_out).pool(features);
  EXPECT_TRUE(at::allclose(pooled, at::adaptive_avg_pool1d(features, {n_out}), 1e-6, 1e-6));
}

TEST_P(ChannelPools, KeepDistancesInTheFewerNumbers) {
  const auto [n_in, n_out] = GetParam();
  const ChannelPool pool(n_in, n_out);
  const auto features = random_tensor({20, n_in}, 2).to(at::kDouble);
  const auto kept = pool.distance_preserving(features);
  EXPECT_EQ(kept.size(1), std::min(n_in, n_out));
  EXPECT_EQ(pool.n_kept(), kept.size(1));
  const auto pooled = at::adaptive_avg_pool1d(features.unsqueeze(0), {n_out})[0];
  EXPECT_TRUE(at::allclose(at::cdist(kept, kept), at::cdist(pooled, pooled), 1e-9, 1e-9));
}

INSTANTIATE_TEST_SUITE_P(Sizes, ChannelPools,
                         testing::Values(Sizes{768, 1024}, Sizes{384, 1024}, Sizes{192, 1024},
                                         Sizes{32, 1024}, Sizes{5, 7}, Sizes{1024, 1024},
                                         Sizes{12, 8}, Sizes{7, 3}));

TEST(ChannelPool, TripleOfAViTBecomesFour) {
  const auto triple = at::tensor({1.F, 3.F, 8.F});
  const auto four = ChannelPool(3, 4).pool(triple);
  EXPECT_TRUE(at::equal(four, at::tensor({1.F, 2.F, 5.5F, 8.F})));
}

TEST(ChannelPool, RefusesSizesThatAreNone) {
  EXPECT_EQ(error_of([] { ChannelPool(0, 4); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([] { ChannelPool(3, 4).pool(at::zeros({2, 4})); }).code(),
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cadenza
