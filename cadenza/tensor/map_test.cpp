#include "cadenza/tensor/map.h"

#include <cmath>
#include <vector>

#include "tests/support/error_of.h"
#include "tests/support/random_tensor.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cadenza/base/error.h"
#include "cadenza/tensor/picture.h"

namespace cadenza {
namespace {

std::int64_t mirrored(std::int64_t position, std::int64_t size) {
  while (position < 0 || position >= size) {
    position = position < 0 ? -1 - position : 2 * size - 1 - position;
  }
  return position;
}

double cell(const at::Tensor& map, std::int64_t y, std::int64_t x) {
  return map[mirrored(y, map.size(0))][mirrored(x, map.size(1))].item<float>();
}

double blurred_by_definition(const at::Tensor& map, std::int64_t y, std::int64_t x, double sigma) {
  const auto radius = static_cast<std::int64_t>(4 * sigma + 0.5);
  double sum = 0, weights = 0;
  for (std::int64_t dy = -radius; dy <= radius; ++dy) {
    for (std::int64_t dx = -radius; dx <= radius; ++dx) {
      const double weight = std::exp(-static_cast<double>(dy * dy + dx * dx) / (2 * sigma * sigma));
      sum += weight * cell(map, y + dy, x + dx);
      weights += weight;
    }
  }
  return sum / weights;
}

TEST(GaussianBlur, IsTheWeightedMeanOverMirroredCells) {
  const at::Tensor map = random_tensor({5, 9}, 1);  // radius 6 at sigma 1.5: beyond one reflection
  const at::Tensor blurred = gaussian_blur(map.unsqueeze(0), 1.5)[0];
  for (std::int64_t y = 0; y < 5; ++y) {
    for (std::int64_t x = 0; x < 9; ++x) {
      EXPECT_NEAR(blurred[y][x].item<float>(), blurred_by_definition(map, y, x, 1.5), 1e-5);
    }
  }
}

TEST(GaussianBlur, LeavesAConstantAndBlursEachMapAlone) {
  EXPECT_TRUE(gaussian_blur(at::full({1, 8, 8}, 3.0F), 4).allclose(at::full({1, 8, 8}, 3.0F)));
  const at::Tensor maps = at::stack({random_tensor({16, 12}, 2), random_tensor({16, 12}, 3)});
  EXPECT_TRUE(gaussian_blur(maps, 2)[1].equal(gaussian_blur(maps.slice(0, 1), 2)[0]));
  EXPECT_TRUE(gaussian_blur(maps, 0).equal(maps));
  EXPECT_EQ(error_of([&] { gaussian_blur(maps, -1); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { gaussian_blur(maps, NAN); }).code(), ErrorCode::kInvalidArgument);
}

TEST(EnlargeBilinear, UsesHalfPixelCentresAndClampsEdges) {
  const at::Tensor map = at::tensor({0.0F, 4.0F}).reshape({1, 1, 2});
  const at::Tensor wide = enlarge_bilinear(map, 1, 4);
  EXPECT_TRUE(wide.flatten().allclose(at::tensor({0.0F, 1.0F, 3.0F, 4.0F}))) << wide;
}

double box_by_definition(const at::Tensor& map, std::int64_t y, std::int64_t x, int radius) {
  double sum = 0;
  for (int dy = -radius; dy <= radius; ++dy) {
    for (int dx = -radius; dx <= radius; ++dx) sum += cell(map, y + dy, x + dx);
  }
  return sum / ((2 * radius + 1) * (2 * radius + 1));
}

TEST(GuidedFilter, FollowsItsFormulaCellByCell) {
  const at::Tensor map = random_tensor({9, 7}, 4), guide = random_tensor({9, 7}, 5);
  const GuidedFilter how{.radius = 2, .smoothness = 0.1};
  const at::Tensor filtered = guided_filter(map, guide, how);
  const at::Tensor product = guide * map, square = guide * guide;
  at::Tensor al = at::empty_like(map), be = at::empty_like(map);
  for (std::int64_t y = 0; y < 9; ++y) {
    for (std::int64_t x = 0; x < 7; ++x) {
      const double i = box_by_definition(guide, y, x, 2), m = box_by_definition(map, y, x, 2);
      const double slope = (box_by_definition(product, y, x, 2) - i * m) /
                           (box_by_definition(square, y, x, 2) - i * i + 0.1);
      al[y][x] = slope;
      be[y][x] = m - slope * i;
    }
  }
  for (std::int64_t y = 0; y < 9; ++y) {
    for (std::int64_t x = 0; x < 7; ++x) {
      const double want =
          box_by_definition(al, y, x, 2) * cell(guide, y, x) + box_by_definition(be, y, x, 2);
      EXPECT_NEAR(filtered[y][x].item<float>(), want, 1e-4);
    }
  }
}

TEST(GuidedFilter, KeepsAConstantMapAndACleanEdge) {
  at::Tensor step = at::zeros({12, 12});
  step.slice(1, 6) = 1;
  EXPECT_TRUE(guided_filter(at::full({12, 12}, 2.0F), step, {.radius = 3, .smoothness = 0.01})
                  .allclose(at::full({12, 12}, 2.0F), 1e-4, 1e-4));
  // The map's edge lies on the guide's: it stays, where a box mean would smear it.
  const at::Tensor kept = guided_filter(step * 5, step, {.radius = 3, .smoothness = 1e-6});
  EXPECT_TRUE(kept.allclose(step * 5, 1e-2, 1e-2));
  // A flat guide at smoothness 0 divides nothing by nothing.
  EXPECT_TRUE(
      guided_filter(step, at::zeros({12, 12}), {.radius = 3}).isfinite().all().item<bool>());
  EXPECT_EQ(error_of([&] { guided_filter(step, step, {.radius = 13}); }).code(),
            ErrorCode::kInvalidArgument);
}

TEST(Picture, ComesBackFromATensorAsItWent) {
  const Image image{2, 3, 3, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 255}};
  const at::Tensor pixels = tensor_of(image);
  EXPECT_EQ(pixels.sizes(), (at::IntArrayRef{2, 3, 3}));
  EXPECT_EQ(pixels[1][2][2].item<int>(), 255);
  EXPECT_EQ(image_of(pixels).pixels, image.pixels);
  // A view in another order is packed first.
  EXPECT_EQ(image_of(pixels.transpose(0, 1)).at(2, 1, 2), 255);
  EXPECT_EQ(error_of([&] { image_of(pixels.to(at::kFloat)); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { tensor_of(Image{2, 2, 3, {1, 2}}); }).code(),
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cadenza
