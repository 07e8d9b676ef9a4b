#include "cadenza/continual/moment_optimizer.h"

#include "tests/support/error_of.h"
#include "tests/support/random_tensor.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace cadenza {
namespace {

/// Steps the same gradients with torch's optimiser: the second opinion.
void expect_same_as_torch(const OptimizerSpec& spec, double tolerance) {
  std::vector<at::Tensor> ours, theirs;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    const auto start = random_tensor({5, 7}, seed).to(at::kDouble);
    ours.push_back(start.clone().requires_grad_());
    theirs.push_back(start.clone().requires_grad_());
  }
  MomentOptimizer optimizer(spec, {"a", "b", "c"}, ours);
  const auto torch = make_optimizer(spec, theirs);
  for (std::uint64_t step = 0; step < 6; ++step) {
    for (std::size_t index = 0; index < ours.size(); ++index) {
      const auto gradient = random_tensor({5, 7}, 10 * step + index).to(at::kDouble);
      ours[index].mutable_grad() = gradient.clone();
      theirs[index].mutable_grad() = gradient.clone();
    }
    const double factor = step == 2 ? 0.5 : 1;
    optimizer.step(factor);
    torch->step(factor);
    for (std::size_t index = 0; index < ours.size(); ++index) {
      EXPECT_LT((ours[index] - theirs[index]).abs().max().item<double>(), tolerance) << step;
    }
  }
}

TEST(MomentOptimizer, StepsAsTorchDoes) {
  expect_same_as_torch({.kind = OptimizerKind::kAdam, .weight_decay = 3e-5, .epsilon = 4e-4},
                       1e-12);
  expect_same_as_torch({.kind = OptimizerKind::kAdamW, .learning_rate = 0.01, .weight_decay = 0.1},
                       1e-12);
  expect_same_as_torch(
      {.kind = OptimizerKind::kSgd, .learning_rate = 0.1, .weight_decay = 0.01, .momentum = 0.9},
      1e-12);
}

TEST(MomentOptimizer, AStoppedParameterStaysOrLeaks) {
  for (const auto how : {MomentOptimizer::Stopped::kStays, MomentOptimizer::Stopped::kLeaks}) {
    auto head = random_tensor({4}, 1).requires_grad_();
    MomentOptimizer optimizer({.learning_rate = 0.1, .weight_decay = 0.1}, {"head"}, {head});
    head.mutable_grad() = at::ones({4});
    optimizer.step(1);
    optimizer.stop("head", how);
    const auto before = head.detach().clone();
    head.mutable_grad() = at::ones({4});
    optimizer.step(1);
    EXPECT_EQ(at::equal(before, head), how == MomentOptimizer::Stopped::kStays);
  }
}

TEST(MomentOptimizer, GoesOnAfterLoadWithTheSameBits) {
  auto whole = random_tensor({9}, 1).requires_grad_();
  MomentOptimizer optimizer({}, {"weight"}, {whole});
  const auto step = [](MomentOptimizer& of, at::Tensor& parameter, std::uint64_t seed) {
    parameter.mutable_grad() = random_tensor({9}, seed);
    of.step(1);
  };
  step(optimizer, whole, 2);
  StatePiece state;
  optimizer.save("moments.", state);
  auto resumed = whole.detach().clone().requires_grad_();
  MomentOptimizer loaded({}, {"weight"}, {resumed});
  PieceReader reader(state, "shared");
  loaded.load("moments.", reader);
  reader.finish();
  step(optimizer, whole, 3);
  step(loaded, resumed, 3);
  EXPECT_TRUE(at::equal(whole, resumed));

  auto other = at::zeros({3}).requires_grad_();
  MomentOptimizer misfit({}, {"weight"}, {other});
  PieceReader again(state, "shared");
  EXPECT_EQ(error_of([&] { misfit.load("moments.", again); }).code(), ErrorCode::kCorruptData);
}

TEST(MomentOptimizer, RefusesWhatCannotBe) {
  EXPECT_EQ(error_of([] { MomentOptimizer({}, {}, {}); }).code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cadenza
