#include "cadenza/tensor/rows.h"

#include <limits>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace cadenza {
namespace {

std::span<float> values_of(const at::Tensor& tensor) {
  return {tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

at::Tensor some_planes(std::int64_t n_channels, std::int64_t n_cells) {
  return (at::arange(n_channels * n_cells, at::kDouble) * 0.7)
      .sin()
      .to(at::kFloat)
      .view({n_channels, n_cells});
}

TEST(PlanesToRows, IsTheTransposeOfAnySize) {
  for (const auto n_cells : {1, 15, 16, 33}) {
    for (const auto n_channels : {1, 7, 40}) {
      const auto planes = some_planes(n_channels, n_cells);
      auto rows = at::empty({n_cells, n_channels});
      planes_to_rows(values_of(planes), n_channels, values_of(rows));
      EXPECT_TRUE(rows.equal(planes.t())) << n_channels << " channels of " << n_cells;
    }
  }
}

TEST(ToUnitLength, DividesByTheNormAndKeepsZeros) {
  for (const auto dim : {1, 5, 16, 50}) {
    auto rows = some_planes(9, dim) * 30;
    rows[4].zero_();
    auto unit = at::empty_like(rows);
    to_unit_length(values_of(rows), dim, values_of(unit));
    const auto exact = rows.to(at::kDouble);
    const auto wanted = exact / exact.norm(2, {1}, true).clamp_min(1e-12);
    EXPECT_LT((unit - wanted).abs().max().item<double>(), 2e-7) << dim;
    EXPECT_EQ(unit[4].abs().max().item<float>(), 0);
  }
}

TEST(AddScaled, AddsToWhatIsThere) {
  for (const auto n_cells : {1, 8, 19}) {
    const auto values = some_planes(1, n_cells);
    auto sums = at::full({1, n_cells}, 0.25F);
    add_scaled(values_of(values), 3, -1, values_of(sums));
    EXPECT_LT((sums - (3 * values - 0.75)).abs().max().item<double>(), 1e-6);
  }
}

TEST(Stretch, GoesInStraightLinesAndLeavesTheRest) {
  const std::vector<float> cells = {0, 4, 2};
  const std::vector<std::int64_t> begin = {1, 3, 5, 6};
  const std::vector<float> fraction = {9, 0.25F, 0.75F, 0, 0.5F, 0.5F, 9};
  std::vector<float> stretched(7, -1);
  stretch(cells, begin, fraction, stretched);
  EXPECT_EQ(stretched, (std::vector<float>{-1, 1, 3, 4, 3, 2, -1}));
}

TEST(AllFinite, FindsOneBadNumberAnywhere) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float bad : {kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()}) {
    for (const std::size_t place : {0, 17, 36}) {
      std::vector<float> values(37, std::numeric_limits<float>::max());
      EXPECT_TRUE(all_finite(values));
      values[place] = bad;
      EXPECT_FALSE(all_finite(values)) << bad << " at " << place;
    }
  }
}

}  // namespace
}  // namespace cadenza
