#include "cadenza/network/learned_depthwise.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

namespace cadenza {
namespace {

struct Leaves {
  at::Tensor x, kernels, bias;
};

Leaves leaves(std::int64_t n_channels, std::int64_t side, at::ScalarType type) {
  at::manual_seed(3);
  const auto leaf = [&](const at::Tensor& values) { return values.to(type).requires_grad_(); };
  return {leaf(at::randn({3, n_channels, 9, 7})), leaf(at::randn({n_channels, 1, side, side})),
          leaf(at::randn({n_channels}))};
}

/// Largest difference in units of the largest value.
double difference(const at::Tensor& found, const at::Tensor& wanted) {
  const auto off = (found.to(at::kDouble) - wanted.to(at::kDouble)).abs().max();
  return off.item<double>() / wanted.abs().max().item<double>();
}

TEST(LearnedDepthwise, GradientsAreThoseOfTheConvolutionInDoublePrecision) {
  const c10::AutoGradMode recording(true);
  for (const std::int64_t n_channels : {1, 16, 21}) {
    for (const std::int64_t side : {1, 3, 5, 7, 9}) {
      for (const std::int64_t stride : {1, 2}) {
        for (const std::int64_t pad_y : {std::int64_t{0}, side / 2}) {
          const auto pad_x = side / 2;
          SCOPED_TRACE(testing::Message() << n_channels << ' ' << side << ' ' << stride << pad_y);
          const auto ours = leaves(n_channels, side, at::kFloat);
          const auto theirs = leaves(n_channels, side, at::kDouble);
          const auto found =
              learned_depthwise_conv(ours.x, ours.kernels, ours.bias, stride, pad_y, pad_x);
          const auto wanted = at::conv2d(theirs.x, theirs.kernels, theirs.bias, {stride, stride},
                                         {pad_y, pad_x}, {1, 1}, n_channels);
          ASSERT_EQ(found.sizes(), wanted.sizes());
          EXPECT_LT(difference(found.detach(), wanted.detach()), 1e-5);
          at::manual_seed(4);
          const auto sent = at::randn_like(wanted.detach());
          found.backward(sent.to(at::kFloat));
          wanted.backward(sent);
          EXPECT_LT(difference(ours.kernels.grad(), theirs.kernels.grad()), 1e-5);
          EXPECT_LT(difference(ours.x.grad(), theirs.x.grad()), 1e-5);
          EXPECT_LT(difference(ours.bias.grad(), theirs.bias.grad()), 1e-5);
        }
      }
    }
  }
}

TEST(LearnedDepthwise, WorksInBfloat16AndWithoutABias) {
  const c10::AutoGradMode recording(true);
  const auto ours = leaves(32, 5, at::kBFloat16), theirs = leaves(32, 5, at::kDouble);
  const auto found = learned_depthwise_conv(ours.x, ours.kernels, {}, 1, 2, 2);
  EXPECT_EQ(found.scalar_type(), at::kBFloat16);
  found.sum().backward();
  at::conv2d(theirs.x, theirs.kernels, {}, {1, 1}, {2, 2}, {1, 1}, 32).sum().backward();
  EXPECT_LT(difference(ours.kernels.grad(), theirs.kernels.grad()), 0.01);  // 8 bits
}

TEST(LearnedDepthwise, ThreadsDoNotChangeABit) {
  const c10::AutoGradMode recording(true);
  const auto n_threads = at::get_num_threads();
  std::vector<at::Tensor> gradients;
  for (const int threads : {1, 2}) {
    at::set_num_threads(threads);
    const auto leaf = leaves(40, 7, at::kFloat);
    learned_depthwise_conv(leaf.x, leaf.kernels, {}, 1, 3, 3).square().sum().backward();
    gradients.push_back(leaf.kernels.grad());
  }
  at::set_num_threads(n_threads);
  EXPECT_TRUE(gradients[0].equal(gradients[1]));
}

}  // namespace
}  // namespace cadenza
