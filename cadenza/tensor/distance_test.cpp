#include "cadenza/tensor/distance.h"

#include <cmath>

#include "tests/support/error_of.h"
#include "tests/support/random_tensor.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cadenza/base/error.h"

namespace cadenza {
namespace {

/// The definition, in double.
double distance_by_definition(const at::Tensor& a, const at::Tensor& b) {
  double sum = 0;
  for (std::int64_t k = 0; k < a.numel(); ++k) {
    const double difference = double{a[k].item<float>()} - double{b[k].item<float>()};
    sum += difference * difference;
  }
  return std::sqrt(sum);
}

TEST(SquaredDistances, AreThoseOfTheDefinitionAndNeverNegative) {
  const at::Tensor a = random_tensor({7, 13}, 1), b = random_tensor({5, 13}, 2);
  const at::Tensor squared = squared_distances(a, b);
  for (std::int64_t row = 0; row < 7; ++row) {
    for (std::int64_t column = 0; column < 5; ++column) {
      const double distance = distance_by_definition(a[row], b[column]);
      EXPECT_NEAR(squared[row][column].item<float>(), distance * distance, 1e-4);
    }
  }
  const at::Tensor same = squared_distances(a * 100, a * 100);
  EXPECT_GE(same.min().item<float>(), 0);
  EXPECT_EQ(error_of([&] { squared_distances(a, random_tensor({5, 12}, 3)); }).code(),
            ErrorCode::kInvalidArgument);
}

TEST(NearestRows, FindsTheSameNeighboursInAnyBlockSize) {
  const at::Tensor queries = random_tensor({11, 9}, 4), bank = random_tensor({23, 9}, 5);
  const Neighbours whole = nearest_rows(queries, bank, 3);
  for (const std::int64_t limit : {0, 200, 1000}) {
    const Neighbours blocked = nearest_rows(queries, bank, 3, limit);
    EXPECT_TRUE(blocked.index.equal(whole.index)) << limit;
    EXPECT_TRUE(blocked.distance.allclose(whole.distance, 1e-5, 1e-5)) << limit;
  }
  for (std::int64_t row = 0; row < 11; ++row) {
    double previous = 0;
    for (std::int64_t rank = 0; rank < 3; ++rank) {
      const double distance =
          distance_by_definition(queries[row], bank[whole.index[row][rank].item<std::int64_t>()]);
      EXPECT_NEAR(whole.distance[row][rank].item<float>(), distance, 1e-5);
      EXPECT_GE(distance, previous - 1e-6);
      previous = distance;
    }
    std::int64_t n_nearer = 0;  // than the third: exactly two
    for (std::int64_t other = 0; other < 23; ++other) {
      n_nearer += distance_by_definition(queries[row], bank[other]) < previous - 1e-9 ? 1 : 0;
    }
    EXPECT_EQ(n_nearer, 2);
  }
}

TEST(NearestRows, RefusesAKBeyondTheBankAndAcceptsNoQueries) {
  const at::Tensor bank = random_tensor({4, 3}, 6);
  EXPECT_EQ(error_of([&] { nearest_rows(bank, bank, 5); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { nearest_rows(bank, bank, 0); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(nearest_rows(bank.slice(0, 0, 0), bank, 2).index.sizes(), (at::IntArrayRef{0, 2}));
}

}  // namespace
}  // namespace cadenza
