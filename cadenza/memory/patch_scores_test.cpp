#include "cadenza/memory/patch_scores.h"

#include "tests/support/error_of.h"
#include "tests/support/random_tensor.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace cadenza {
namespace {

TEST(PatchScores, AreDistancesToTheNearestRow) {
  const auto rows = random_tensor({30, 7}, 1), features = random_tensor({3, 5, 7}, 2);
  const auto found = nearest_distances(PackedBank(rows), features);
  const auto wanted = at::cdist(features.to(at::kDouble), rows.to(at::kDouble)).amin({2});
  EXPECT_TRUE(at::allclose(found.to(at::kDouble), wanted, 1e-5, 1e-5));
  const auto alone = nearest_distances(PackedBank(rows), features.slice(0, 1, 2));
  EXPECT_TRUE(at::equal(alone[0], found[1]));
}

TEST(PatchScores, AConstantMapStaysConstantAndAPeakStaysInPlace) {
  const MapSmoothing how{.height_px = 40, .width_px = 60, .sigma_px = 2};
  EXPECT_TRUE(at::allclose(patch_map(at::full({1, 24}, 3.F), 4, 6, how), at::full({1, 40, 60}, 3.F),
                           1e-5, 1e-5));
  auto peak = at::zeros({1, 24});
  peak[0][6 * 1 + 4] = 1;
  const auto largest = patch_map(peak, 4, 6, how)[0].argmax().item<std::int64_t>();
  EXPECT_NEAR(static_cast<double>(largest / 60), 14.5, 1);
  EXPECT_NEAR(static_cast<double>(largest % 60), 44.5, 1);
}

TEST(PatchScores, RefuseOtherShapes) {
  const PackedBank bank(at::zeros({2, 4}));
  EXPECT_EQ(error_of([&] { nearest_distances(bank, at::zeros({1, 2, 5})); }).code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] {
              nearest_distances(PackedBank(at::zeros({0, 4})), at::zeros({1, 2, 4}));
            }).code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([] { patch_map(at::zeros({1, 9}), 2, 4, {}); }).code(),
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cadenza
