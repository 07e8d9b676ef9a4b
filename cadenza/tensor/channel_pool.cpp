#include "cadenza/tensor/channel_pool.h"

#include <numeric>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/tensor/shape.h"

namespace cadenza {

ChannelPool::ChannelPool(std::int64_t n_in, std::int64_t n_out)
    : n_in_(n_in), n_out_(n_out), n_groups_(std::gcd(n_in, n_out)) {
  CADENZA_REQUIRE(n_in >= 1 && n_out >= 1, ErrorCode::kInvalidArgument, "channels: ", n_in, " to ",
                  n_out, ": expected numbers of at least 1");
  const auto in = n_in / n_groups_, out = n_out / n_groups_;
  mean_ = at::zeros({out, in}, at::kDouble);
  for (std::int64_t row = 0; row < out; ++row) {
    const auto first = row * in / out, last = ((row + 1) * in + out - 1) / out;
    mean_[row].slice(0, first, last).fill_(1.0 / double(last - first));
  }
  const bool grows = n_in < n_out;
  factor_ = grows ? at::linalg_cholesky(mean_.t().matmul(mean_), /*upper=*/true) : mean_;
}

at::Tensor ChannelPool::by_group(const at::Tensor& features, const at::Tensor& block) const {
  CADENZA_REQUIRE(features.dim() >= 1 && features.size(-1) == n_in_, ErrorCode::kInvalidArgument,
                  "features [...,", n_in_, "]: got ", features.sizes());
  auto sizes = features.sizes().vec();
  sizes.back() = n_groups_ * block.size(0);
  if (block.numel() == 1 && block.item<double>() == 1) return features;
  const auto groups = features.reshape({-1, block.size(1)});
  return groups.matmul(block.to(features.scalar_type()).t()).reshape(sizes);
}

at::Tensor ChannelPool::pool(const at::Tensor& features) const { return by_group(features, mean_); }

at::Tensor ChannelPool::distance_preserving(const at::Tensor& features) const {
  return by_group(features, factor_);
}

}  // namespace cadenza
