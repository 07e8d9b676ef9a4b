#include "cadenza/metric/confusion.h"

#include "tests/support/error_of.h"
#include <gtest/gtest.h>

namespace cadenza {
namespace {

TEST(ConfusionMatrix, CountsRightWrongAndRejected) {
  ConfusionMatrix matrix(3);
  for (int times = 0; times < 3; ++times) matrix.add(0, 0);
  matrix.add(0, 2);
  matrix.add(1, std::nullopt);
  EXPECT_EQ(matrix.count(0, 0), 3);
  EXPECT_EQ(matrix.count(0, 2), 1);
  EXPECT_EQ(matrix.count(2, 0), 0);
  EXPECT_EQ(matrix.rejected(1), 1);
  EXPECT_EQ(matrix.rejected(0), 0);
  EXPECT_EQ(matrix.n_items(), 5);
  EXPECT_EQ(matrix.accuracy().value, 0.6);
  EXPECT_EQ(matrix.accuracy_of(0).value, 0.75);
  EXPECT_EQ(matrix.accuracy_of(1).value, 0.0);
  EXPECT_EQ(matrix.accuracy_of(2).reason, "no items of the class");
  EXPECT_EQ(ConfusionMatrix(2).accuracy().reason, "no items");
}

TEST(ConfusionMatrix, RefusesUnknownClasses) {
  ConfusionMatrix matrix(2);
  const auto code = [](const auto& action) { return error_of(action).code(); };
  EXPECT_EQ(code([&] { matrix.add(2, 0); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code([&] { matrix.add(0, 2); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code([&] { matrix.add(0, -1); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code([&] { matrix.count(-1, 0); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code([&] { matrix.count(0, 3); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code([] { ConfusionMatrix(-1); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(matrix.n_items(), 0);
}

}  // namespace
}  // namespace cadenza
