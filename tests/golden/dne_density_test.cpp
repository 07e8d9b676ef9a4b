// Vectors TV-1 to TV-4 of the dne_cl specification, section 8.
#include <cmath>
#include <functional>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cadenza/memory/gaussian.h"
#include "cadenza/memory/global_density.h"

namespace cadenza {
namespace {

using Formula = std::function<double(std::int64_t, std::int64_t)>;

at::Tensor rows_of(std::int64_t first, std::int64_t last, std::int64_t n_columns,
                   const Formula& formula) {
  at::Tensor rows = at::empty({last - first, n_columns}, at::kDouble);
  for (std::int64_t i = first; i < last; ++i) {
    for (std::int64_t j = 0; j < n_columns; ++j) rows[i - first][j] = formula(i, j);
  }
  return rows;
}

void expect_near(const at::Tensor& found, std::vector<double> wanted, double tolerance) {
  for (std::size_t at = 0; at < wanted.size(); ++at) {
    EXPECT_NEAR(found[std::int64_t(at)].item<double>(), wanted[at], tolerance) << "element " << at;
  }
}

double waves(std::int64_t i, std::int64_t j) {
  return std::sin(0.7 * double(i) + 1.3 * double(j) + 0.11 * double(i * j)) + 0.05 * double(j);
}

at::Tensor distances(const ShrunkCovariance& law, const at::Tensor& rows) {
  return GaussianDensity(law.mean, law.covariance, {}).distances(rows);
}

TEST(TV_1, LedoitWolfOfFewColumns) {
  const auto law = ledoit_wolf(rows_of(0, 12, 5, waves));
  EXPECT_NEAR(law.shrinkage, 0.387281563176, 1e-9);
  expect_near(law.covariance[0], {0.4780005002, -0.0892271934, -0.1610078533}, 1e-9);
  expect_near(at::linalg_inv(law.covariance)[0], {2.6082276873, 0.4158875486, 1.0178177133}, 1e-9);
  expect_near(distances(law, rows_of(12, 15, 5, waves)), {2.9935638237, 3.4092495402, 1.6482901774},
              1e-9);
}

TEST(TV_1, LedoitWolfOfUnitRows) {
  const auto law = ledoit_wolf(unit_rows(rows_of(0, 12, 5, waves)));
  EXPECT_NEAR(law.shrinkage, 0.401113377733, 1e-9);
  expect_near(distances(law, unit_rows(rows_of(12, 15, 5, waves))),
              {2.8035568509, 2.8812787286, 2.3737508051}, 1e-9);
}

TEST(TV_1, MoreColumnsThanRowsShrinkToTheIdentity) {
  const auto law = ledoit_wolf(rows_of(0, 40, 64, waves));
  EXPECT_EQ(law.shrinkage, 1);
  EXPECT_NEAR(law.covariance[7][7].item<double>(), 0.483199334205, 1e-9);
  expect_near(distances(law, rows_of(40, 43, 64, waves)),
              {8.2742167939, 8.1552416854, 8.2099780535}, 1e-9);
}

double clusters(std::int64_t i, std::int64_t j) {
  const double c = double(i % 3);
  return std::cos(0.9 * (c + 1) * double(j + 1)) +
         0.2 * std::exp(-0.5 * double(j)) *
             std::sin(0.7 * double(i) * double(j + 1) + 1.3 * double(j));
}

TEST(TV_2, CutOffsOfThePrecisionKeepThePublishedRanks) {
  const auto law = ledoit_wolf(unit_rows(rows_of(0, 1200, 32, clusters)));
  EXPECT_NEAR(law.shrinkage, 0.000898399548, 1e-9);
  const at::Tensor near = unit_rows(rows_of(1200, 1203, 32, clusters));
  const at::Tensor far = unit_rows(near + rows_of(0, 3, 32, [](std::int64_t k, std::int64_t j) {
                                     return 0.01 * std::sin(2.1 * double(j) + double(k));
                                   }));
  struct Case {
    double cut;
    std::int64_t rank;
    std::vector<double> near, far;
  };
  const std::vector<Case> cases = {
      {0, 32, {2.708843881, 3.049060853, 2.505057438}, {8.713875041, 8.634833792, 8.695793960}},
      {9.1552734375e-05,
       8,
       {2.618401440, 2.969097479, 2.454218537},
       {3.392541235, 2.939514945, 2.855133307}},
      {1.1920929e-04,
       6,
       {2.260442672, 2.848496311, 2.299896722},
       {2.233087724, 2.869282782, 2.729918081}}};
  for (const auto& each : cases) {
    const GaussianDensity density(law.mean, law.covariance, {.relative_cut = each.cut});
    EXPECT_EQ(density.rank(), each.rank);
    expect_near(density.distances(near), each.near, 1e-8);
    expect_near(density.distances(far), each.far, 1e-8);
  }
  EXPECT_NEAR(PrecisionRule::f32_pinv(768).relative_cut, 9.1552734375e-05, 1e-15);
}

TEST(TV_3, SamplersGiveThePublishedDraws) {
  const at::Tensor z =
      at::tensor({0.49671415, -0.1382643, 0.64768854, 1.52302986, -0.23415337, -0.23413696},
                 at::kDouble)
          .view({3, 2});
  const at::Tensor mean = at::tensor({1., -1.}, at::kDouble);
  const at::Tensor covariance = at::tensor({2., .6, .6, 1.}, at::kDouble).view({2, 2});
  const at::Tensor symmetric = mean + z.matmul(symmetric_root(covariance));
  expect_near(symmetric.view({-1}),
              {1.65581986, -1.00733623, 2.28852604, 0.63769968, 0.61468921, -1.2860071}, 1e-7);
  // The published singular draws up to LAPACK's signs: the same law, checked by S^T S.
  const at::Tensor root = singular_root(covariance);
  EXPECT_TRUE(root.t().matmul(root).allclose(covariance, 0, 1e-12));
}

double cluster_of(double c, std::int64_t i, std::int64_t j) {
  return std::cos(0.9 * (c + 1) * double(j + 1)) +
         0.3 * std::sin(0.7 * double(i) + 1.3 * double(j) + 0.11 * double(i * j));
}

TEST(TV_4, TheWholeDensityFromStatisticsAndDraws) {
  const auto rows = [](double c, std::int64_t first, std::int64_t last) {
    return rows_of(first, last, 4,
                   [c](std::int64_t i, std::int64_t j) { return cluster_of(c, i, j); });
  };
  const auto first = task_statistics(rows(0, 0, 10), 10);
  expect_near(first.mean, {0.4037146492, -0.1197901349, -0.6089485894, -0.6224952238}, 1e-9);
  EXPECT_NEAR(first.shrinkage, 0.319040672199, 1e-9);
  expect_near(first.covariance.diagonal(), {0.0125028685, 0.0218902504, 0.0111953791, 0.0187576194},
              1e-9);
  const auto normals = [](std::int64_t n, std::int64_t n_dimensions) {
    return rows_of(0, n, n_dimensions, [&](std::int64_t i, std::int64_t j) {
      return std::sin(1. + double(i * n_dimensions + j));
    });
  };
  const auto global =
      global_density(std::vector{first}, rows(1, 0, 8), {}, PrecisionRule{}, normals);
  expect_near(global.law.mean, {0.1627205192, -0.368307801, -0.1162572089, -0.172890534}, 1e-9);
  EXPECT_NEAR(global.law.shrinkage, 0.013384105576, 1e-9);
  const at::Tensor queries = unit_rows(at::cat({rows(0, 20, 22), rows(1, 20, 22)}));
  expect_near(global.density.distances(queries),
              {4.3134294302, 2.1457088594, 3.6950912444, 1.8633904544}, 1e-8);
}

}  // namespace
}  // namespace cadenza
