// Vectors TV-5 (learning rates) and TV-6 of the dne_cl specification, section 8.
#include <gtest/gtest.h>

#include "cadenza/continual/restart_schedule.h"
#include "cadenza/image/cutpaste_geometry.h"

namespace cadenza {
namespace {

TEST(TV_5, LearningRatesOfTheReleasedSchedule) {
  const auto rate = [](std::int64_t task, std::int64_t epoch, std::int64_t batch) {
    return 1e-4 * cosine_restart_factor(task, epoch, batch, 50);
  };
  EXPECT_NEAR(rate(0, 0, 0), 1e-4, 1e-18);
  EXPECT_NEAR(rate(0, 0, 2), 1e-4, 1e-18);
  EXPECT_NEAR(rate(0, 1, 0), 1e-4, 1e-18);
  EXPECT_NEAR(rate(0, 1, 1), 9.990133642141359e-05, 1e-18);
  EXPECT_NEAR(rate(0, 10, 0), 9.221639627510076e-05, 1e-18);
  EXPECT_NEAR(rate(0, 25, 1), 5e-05, 1e-18);
  EXPECT_NEAR(rate(0, 49, 0), 3.9426493427611e-07, 1e-18);
  EXPECT_NEAR(rate(0, 49, 1), 9.8663578586e-08, 1e-17);
  EXPECT_NEAR(rate(1, 0, 0), 9.8663578586e-08, 1e-17);
  EXPECT_NEAR(rate(1, 0, 1), 1e-4, 1e-18);
}

void expect_cut(const CutPasteUniforms& uniforms, std::int64_t width, std::int64_t height,
                std::array<std::int64_t, 4> places) {
  const auto cut = cutpaste_geometry(uniforms, 224, 224);
  EXPECT_EQ(cut.width_px, width);
  EXPECT_EQ(cut.height_px, height);
  EXPECT_EQ(cut.from_y, places[0]);
  EXPECT_EQ(cut.from_x, places[1]);
  EXPECT_EQ(cut.to_y, places[2]);
  EXPECT_EQ(cut.to_x, places[3]);
}

TEST(TV_6, CutPasteGeometryIncludingPatchesLargerThanTheImage) {
  expect_cut({.5, .5, .25, {.1, .2, .3, .4}}, 56, 76, {14, 33, 44, 67});
  expect_cut({0, 1, 1, {.9, .9, .9, .9}}, 274, 27, {177, -45, 177, -45});
  expect_cut({0, 1, 0, {.5, .5, .5, .5}}, 27, 274, {-25, 98, -25, 98});
  expect_cut({1, 0, .7, {0, 0, .999, .999}}, 32, 32, {0, 0, 191, 191});
}

}  // namespace
}  // namespace cadenza
