#include "cadenza/memory/coreset.h"

#include <limits>
#include <set>
#include <vector>

#include "tests/support/error_of.h"
#include "tests/support/random_tensor.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cadenza/base/error.h"

namespace cadenza {
namespace {

/// The definition: every distance of every pair, in double, at every pick.
std::vector<std::int64_t> coreset_by_definition(const at::Tensor& rows, std::int64_t k,
                                                std::int64_t first) {
  const at::Tensor exact = rows.to(at::kDouble);
  std::vector<std::int64_t> picked = {first};
  at::Tensor minima =
      at::full({rows.size(0)}, std::numeric_limits<double>::infinity(), at::kDouble);
  while (true) {
    minima = at::minimum(minima, (exact - exact[picked.back()]).square().sum(1));
    if (static_cast<std::int64_t>(picked.size()) == k) return picked;
    picked.push_back(minima.argmax().item<std::int64_t>());
  }
}

TEST(SelectCoreset, PicksTheRowsOfTheDefinitionInItsOrder) {
  std::uint64_t seed = 0;
  for (const std::int64_t n_rows : {1, 2, 50, 1024, 3000}) {
    for (const std::int64_t dim : {1, 5, 16, 33}) {
      const at::Tensor rows = random_tensor({n_rows, dim}, ++seed);
      const std::int64_t k = std::min<std::int64_t>(n_rows, 60), first = n_rows / 3;
      EXPECT_EQ(select_coreset(rows, k, {.first = first}), coreset_by_definition(rows, k, first))
          << "rows " << n_rows << ", D " << dim << ", seed " << seed;
    }
  }
}

TEST(SelectCoreset, OfRowsEquallyFarTheFirstIsPicked) {
  // Whole numbers: every distance is exact, and most are shared by many rows.
  const at::Tensor rows = (random_tensor({4000, 2}, 7) * 2).round();
  const auto picked = select_coreset(rows, 20, {.first = 5});
  EXPECT_EQ(picked, coreset_by_definition(rows, 20, 5));
}

TEST(SelectCoreset, ASmallerOneIsAPrefixOfALargerOne) {
  const at::Tensor rows = random_unit_rows(5000, 24, 8);
  const auto large = select_coreset(rows, 200, {.first = 17});
  const auto small = select_coreset(rows, 70, {.first = 17});
  EXPECT_TRUE(std::equal(small.begin(), small.end(), large.begin()));
}

TEST(SelectCoreset, NeverPicksEqualRowsTwiceAndThenEnds) {
  const at::Tensor distinct = random_unit_rows(6, 48, 9);
  const auto picked = select_coreset(distinct.repeat({500, 1}), 100, {.first = 2});
  EXPECT_EQ(std::set<std::int64_t>(picked.begin(), picked.end()).size(), 6U);
  EXPECT_EQ(picked.size(), 6U);
  EXPECT_EQ(select_coreset(at::ones({40, 3}), 40).size(), 1U);
}

TEST(SelectCoreset, EndsWhereEveryRowIsNear) {
  const at::Tensor rows = random_tensor({800, 3}, 10);
  const float nearest_squared = 0.5F;
  const auto picked = select_coreset(rows, 800, {.nearest_squared = nearest_squared});
  EXPECT_LT(picked.size(), 800U);
  const at::Tensor chosen = rows.index_select(0, at::tensor(picked));
  const at::Tensor minima =
      std::get<0>((rows.unsqueeze(1) - chosen.unsqueeze(0)).square().sum(2).min(1));
  EXPECT_LE(minima.max().item<float>(), nearest_squared + 1e-5F);
}

TEST(SelectCoreset, StopsWhenAskedAndCountsItsPicks) {
  struct Counter : Progress {
    std::int64_t n = 0;
    void advance(std::int64_t n_units) override { n += n_units; }
  } counter;
  select_coreset(random_tensor({300, 4}, 11), 25, {}, {}, counter);
  EXPECT_EQ(counter.n, 25);
  std::stop_source source;
  source.request_stop();
  EXPECT_EQ(error_of([&] {
              select_coreset(random_tensor({300, 4}, 11), 25, {}, source.get_token());
            }).code(),
            ErrorCode::kCancelled);
}

TEST(SelectCoreset, RefusesWhatItCannotPick) {
  const at::Tensor rows = random_tensor({10, 2}, 12);
  EXPECT_EQ(error_of([&] { select_coreset(rows, 11); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { select_coreset(rows, 0); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { select_coreset(rows, 1, {.first = 10}); }).code(),
            ErrorCode::kInvalidArgument);
  at::Tensor broken = rows.clone();
  broken[3][1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(error_of([&] { select_coreset(broken, 2); }).code(), ErrorCode::kNumeric);
}

}  // namespace
}  // namespace cadenza
