#include <gtest/gtest.h>

#include "cadenza/base/error.h"
#include "cadenza/tensor/shape.h"
#include "cadenza/tensor/state.h"

namespace cadenza {
namespace {

TEST(RequireShape, NamesTheParameterAndBothShapes) {
  require_shape(at::zeros({2, 3}), {kAnySize, 3}, "rows [M,D]");
  try {
    require_shape(at::zeros({2, 4}), {kAnySize, 3}, "rows [M,D]");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_STREQ(error.what(), "rows [M,D]: expected [*,3], got [2, 4]");
  }
  EXPECT_THROW(require_shape(at::Tensor(), {1}, "x [1]"), Error);
}

TEST(PieceReader, AKeyNobodyReadsIsAnError) {
  StatePiece piece;
  piece.tensors["bank"] = at::ones({2});
  piece.texts["name"] = "bottle";
  PieceReader reader(piece, "task 3");
  EXPECT_TRUE(reader.tensor("bank").equal(at::ones({2})));
  EXPECT_THROW(reader.finish(), Error);
  EXPECT_EQ(reader.text("name"), "bottle");
  reader.finish();
  EXPECT_THROW(reader.tensor("keys"), Error);
}

}  // namespace
}  // namespace cadenza
