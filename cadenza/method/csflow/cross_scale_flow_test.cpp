#include "cadenza/method/csflow/cross_scale_flow.h"

#include "tests/support/error_of.h"
#include "tests/support/random_tensor.h"
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

namespace cadenza {
namespace {

const std::vector<std::vector<std::int64_t>> kShapes = {{4, 4, 4}, {4, 2, 2}, {4, 1, 1}};

FeatureModel::Features features(std::int64_t n_images) {
  FeatureModel::Features all;
  for (std::size_t scale = 0; scale < kShapes.size(); ++scale) {
    const auto& shape = kShapes[scale];
    all.push_back(random_tensor({n_images, shape[0], shape[1], shape[2]}, int(scale) + 3));
  }
  return all;
}

/// A flow that is no identity any more.
std::unique_ptr<CrossScaleFlow> made_flow() {
  auto flow = std::make_unique<CrossScaleFlow>(CrossScaleFlowSpec{.n_blocks = 2, .hidden = 6},
                                               kShapes, at::kCPU);
  flow->layers().start(1);
  flow->draw(1);
  const c10::NoGradGuard no_grad;
  for (const auto& [name, parameter] : flow->layers().parameters()) {
    if (name.find("factor") != name.npos) parameter.fill_(0.8);
  }
  return flow;
}

at::Tensor flat(const FeatureModel::Features& all) {
  std::vector<at::Tensor> parts;
  for (const auto& each : all) parts.push_back(each.flatten(1));
  return at::cat(parts, 1);
}

TEST(CrossScaleFlow, StartsAsAPermutation) {
  CrossScaleFlow flow({.n_blocks = 3, .hidden = 6}, kShapes, at::kCPU);
  flow.layers().start(1);
  const auto given = features(2);
  const auto mapped = flow.map(given);
  EXPECT_EQ(mapped.log_determinant.abs().max().item<double>(), 0);
  EXPECT_TRUE(at::equal(std::get<0>(mapped.z[0].sort(1)), std::get<0>(given[0].sort(1))));
}

TEST(CrossScaleFlow, InverseGivesTheFeaturesBack) {
  const auto flow = made_flow();
  const auto given = features(3);
  const auto back = flow->invert(flow->map(given).z);
  for (std::size_t scale = 0; scale < given.size(); ++scale) {
    EXPECT_LT((back[scale] - given[scale]).abs().max().item<double>(), 1e-4);
  }
}

// log|det J| against the determinant of the Jacobian that autograd gives, value by value.
TEST(CrossScaleFlow, LogDeterminantIsThatOfTheJacobian) {
  const auto flow = made_flow();
  auto given = features(1);
  for (auto& each : given) each = each.clone().set_requires_grad(true);
  const auto mapped = flow->map(given);
  const auto z = flat(mapped.z)[0];
  std::vector<at::Tensor> rows;
  for (std::int64_t index = 0; index < z.numel(); ++index) {
    for (auto& each : given) each.mutable_grad().reset();
    z[index].backward({}, true);
    FeatureModel::Features gradients;
    for (auto& each : given) {
      gradients.push_back(each.grad().defined() ? each.grad() : at::zeros_like(each));
    }
    rows.push_back(flat(gradients)[0]);
  }
  const at::Tensor jacobian = at::stack(rows).to(at::kDouble);
  const double wanted = std::get<1>(at::linalg_slogdet(jacobian)).item<double>();
  EXPECT_GT(std::abs(wanted), 0.1);
  EXPECT_NEAR(mapped.log_determinant.item<double>(), wanted, 1e-4);
}

TEST(CrossScaleFlow, LossAndScoresByTheirDefinition) {
  const auto flow = made_flow();
  const auto given = features(2);
  const auto mapped = flow->map(given);
  const at::Tensor squares = flat(mapped.z).square();
  const at::Tensor wanted = (squares.sum(1) / 2 - mapped.log_determinant) / double(squares.size(1));
  EXPECT_TRUE(flow->row_losses(given, true).allclose(wanted, 1e-6, 1e-6));
  const auto scores = flow->score(given);
  EXPECT_TRUE(scores.image.allclose(squares.mean(1) / 2));
  EXPECT_EQ(scores.map.sizes(), at::IntArrayRef({2, 4, 4}));
  EXPECT_NEAR(scores.map[1][2][3].item<double>(),
              mapped.z[0][1].select(1, 2).select(1, 3).square().mean().item<double>() / 2, 1e-6);
}

TEST(CrossScaleFlow, LogScalesStayWithinTheClamp) {
  const auto flow = made_flow();
  auto far = features(1);
  for (auto& each : far) each = each * 1e6;
  const double n_moved = 4 * 16 + 4 * 4 + 4;  // values whose scale each block sets
  EXPECT_LE(flow->map(far).log_determinant.abs().item<double>(), 3 * 2 * n_moved);
}

TEST(CrossScaleFlow, TellsWhichFeaturesItCannotTake) {
  const auto make = [](std::vector<std::vector<std::int64_t>> shapes) {
    return error_of([&] { CrossScaleFlow({}, shapes, at::kCPU); });
  };
  EXPECT_EQ(make({{3, 4, 4}}).code(), ErrorCode::kInvalidArgument);
  const auto odd = make({{4, 5, 5}, {4, 3, 3}});
  EXPECT_NE(std::string(odd.what()).find("5x5 and 3x3 do not halve"), std::string::npos);
}

TEST(CrossScaleFlow, RefusesAPermutationThatIsNone) {
  const auto flow = made_flow();
  StatePiece piece;
  flow->save(piece);
  piece.tensors["permutations"][0].fill_(1);
  PieceReader reader(piece, "shared");
  EXPECT_EQ(error_of([&] { flow->load(reader); }).code(), ErrorCode::kCorruptData);
}

}  // namespace
}  // namespace cadenza
