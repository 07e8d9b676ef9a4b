// Vector G of the ucad specification, section 7.2.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "cadenza/memory/released_random.h"

namespace cadenza {
namespace {

TEST(G, LinearWeightsAreThoseOfTorch) {
  const at::Tensor weight = ReleasedRandom(0).linear_weight(128, 1024);
  const std::vector<float> wanted = {-2.3396313e-4F, 0.016763862F, -0.02572016F, -0.022998095F};
  for (std::int64_t column = 0; column < 4; ++column) {
    EXPECT_NEAR(weight[0][column].item<float>(), wanted[std::size_t(column)], 1e-8);
  }
  EXPECT_NEAR(weight[127][1023].item<float>(), 0.022983726, 1e-8);
}

// What the two below are made of: the first number seeds nothing, the second the permutation.
TEST(G, NumbersAndPermutationsAreThoseOfTorch) {
  auto generator = at::make_generator<at::CPUGeneratorImpl>(std::uint64_t{0});
  const auto drawn = [&] {
    return at::empty({}, at::kLong).random_(generator).item<std::int64_t>();
  };
  EXPECT_EQ(drawn(), 900450186894289455);
  EXPECT_EQ(drawn(), 3969543146641149120);
  const auto seeded = at::make_generator<at::CPUGeneratorImpl>(std::uint64_t{1234});
  const auto wanted = at::tensor({5, 4, 8, 2, 6, 9, 1, 7, 0, 3}, at::kLong);
  EXPECT_TRUE(at::randperm(10, seeded, at::kLong).equal(wanted));
}

TEST(G, ShuffledLoaderPassesAreThoseOfTorch) {
  ReleasedRandom random(0);
  EXPECT_EQ(random.shuffled_pass(20),
            (std::vector<std::int64_t>{6, 15, 11, 13, 9,  2,  1,  17, 16, 8,
                                       5, 12, 18, 3,  19, 10, 14, 4,  7,  0}));
  EXPECT_EQ(random.shuffled_pass(20),
            (std::vector<std::int64_t>{12, 1,  13, 14, 10, 19, 9, 18, 15, 11,
                                       16, 17, 4,  2,  5,  0,  8, 6,  7,  3}));
}

TEST(G, StartRowsAreThoseOfNumpy) {
  EXPECT_EQ(ReleasedRandom(0).start_rows(3000, 10),
            (std::vector<std::int64_t>{311, 1025, 1587, 2941, 2980, 2078, 2281, 720, 1537, 2493}));
  EXPECT_EQ(ReleasedRandom(0).start_rows(40964, 10),
            (std::vector<std::int64_t>{21835, 22845, 9384, 2464, 24210, 37728, 34365, 13963, 27710,
                                       28334}));
}

}  // namespace
}  // namespace cadenza
