#include "cadenza/structure/contrastive/scl.h"

#include <cmath>

#include "tests/support/error_of.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace cadenza {
namespace {

/// The formula, pair by pair.
double by_definition(const at::Tensor& features, const at::Tensor& labels, double temperature) {
  double sum = 0;
  const auto n_images = features.size(0), n_cells = features.size(1);
  for (std::int64_t image = 0; image < n_images; ++image) {
    for (std::int64_t p = 0; p < n_cells; ++p) {
      for (std::int64_t q = 0; q < n_cells; ++q) {
        const at::Tensor a = features[image][p], b = features[image][q];
        const double cosine = (a.dot(b) / (a.norm() * b.norm())).item<double>() / temperature;
        const bool is_same = labels[image][p].equal(labels[image][q]);
        sum += is_same ? -cosine : std::exp(cosine);
      }
    }
  }
  return sum / double(n_images * n_cells * n_cells);
}

TEST(StructureContrastiveLoss, EqualsTheSumOverPairs) {
  at::manual_seed(3);
  const at::Tensor features = at::randn({2, 9, 5}, at::kDouble);
  const at::Tensor labels = at::randint(0, 3, {2, 9}, at::kLong);
  EXPECT_NEAR(structure_contrastive_loss(features, labels).item<double>(),
              by_definition(features, labels, 0.5), 1e-12);
  EXPECT_NEAR(structure_contrastive_loss(features, labels, 0.2).item<double>(),
              by_definition(features, labels, 0.2), 1e-12);
}

TEST(StructureContrastiveLoss, GradientEqualsFiniteDifferences) {
  at::manual_seed(4);
  const at::Tensor features = at::randn({1, 6, 4}, at::kDouble).set_requires_grad(true);
  const at::Tensor labels = at::tensor({0, 0, 1, 1, 2, 2}, at::kLong).unsqueeze(0);
  structure_contrastive_loss(features, labels).backward();
  constexpr double kStep = 1e-6;
  for (std::int64_t cell = 0; cell < 6; ++cell) {
    const auto shifted = [&](double step) {
      at::Tensor moved = features.detach().clone();
      moved[0][cell][1] += step;
      return by_definition(moved, labels, 0.5);
    };
    EXPECT_NEAR(features.grad()[0][cell][1].item<double>(),
                (shifted(kStep) - shifted(-kStep)) / (2 * kStep), 1e-8);
  }
}

TEST(StructureContrastiveLoss, OneRegionOfEqualCellsIsMinusOneOverTheTemperature) {
  const at::Tensor features = at::ones({1, 4, 3});
  const at::Tensor labels = at::zeros({1, 4}, at::kLong);
  EXPECT_NEAR(structure_contrastive_loss(features, labels).item<double>(), -2, 1e-6);
  EXPECT_EQ(error_of([&] { structure_contrastive_loss(features, labels.t()); }).code(),
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cadenza
