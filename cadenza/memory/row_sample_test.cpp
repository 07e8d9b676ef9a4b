#include "cadenza/memory/row_sample.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace cadenza {
namespace {

/// Row r of all is (r, -r): a row tells its number.
at::Tensor block(std::int64_t first, std::int64_t last) {
  const auto numbers = at::arange(first, last, at::kFloat);
  return at::stack({numbers, -numbers}, 1);
}

TEST(RowSample, KeepsTheRowsOfItsNumbersHoweverTheBlocksAreCut) {
  Rng one(3, "rows"), other(3, "rows");
  RowSample whole(100, 2, 17, one), cut(100, 2, 17, other);
  whole.take(0, block(0, 100));
  for (const std::int64_t first : {0, 1, 40, 41}) {
    cut.take(first, block(first, first == 41 ? 100 : first == 1 ? 40 : first + 1));
  }
  ASSERT_EQ(whole.rows().size(0), 17);
  EXPECT_TRUE(whole.rows().equal(cut.rows()));
  EXPECT_TRUE(whole.rows().select(1, 0).equal(whole.numbers().to(at::kFloat)));
  EXPECT_TRUE(whole.rows().select(1, 1).equal(-whole.numbers().to(at::kFloat)));
}

TEST(RowSample, KeepsAllRowsWhenThereIsRoom) {
  Rng rng(3, "rows");
  RowSample sample(5, 2, 9, rng);
  sample.take(0, block(0, 5));
  EXPECT_TRUE(sample.rows().equal(block(0, 5)));
}

}  // namespace
}  // namespace cadenza
