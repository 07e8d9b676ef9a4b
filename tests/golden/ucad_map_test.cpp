// golden.ucad.C: from patch scores to the map (specs/ucad.md, section 7.2).

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cadenza/tensor/map.h"

namespace cadenza {
namespace {

TEST(C, PatchScoresBecomeTheAuthorsMap) {
  at::Tensor scores = at::empty({1, 14, 14});
  for (int row = 0; row < 14; ++row) {
    for (int column = 0; column < 14; ++column) {
      scores[0][row][column] = static_cast<float>(0.1 * row + 0.01 * column * column);
    }
  }
  const at::Tensor map = gaussian_blur(enlarge_bilinear(scores, 224, 224), /*sigma=*/4)[0];
  // Printed with 8 digits: half a unit of the last, and float32.
  EXPECT_NEAR(map[0][0].item<float>(), 0.0004957815, 1e-8);
  EXPECT_NEAR(map[112][112].item<float>(), 1.0822777, 1e-6);
  EXPECT_NEAR(map[223][223].item<float>(), 2.9884226, 1e-6);
  EXPECT_NEAR(map[10][200].item<float>(), 1.4692079, 1e-6);
  EXPECT_NEAR(map.to(at::kDouble).sum().item<double>(), 61967.35997, 0.05);
}

}  // namespace
}  // namespace cadenza
