#include "cadenza/method/csflow/cross_scale_flow.h"

#include <numbers>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/base/rng.h"

namespace cadenza {

namespace {

std::string net_name(std::int64_t block, const char* which) {
  return cat("block", block, ".", which, ".");
}

std::string scale_name(const std::string& net, const char* layer, std::size_t scale) {
  return cat(net, layer, scale);
}

at::Tensor twice_as_large(const at::Tensor& x) {
  return at::upsample_bilinear2d(x, {2 * x.size(2), 2 * x.size(3)}, false);
}

/// Channels [first, last) of every scale.
FeatureModel::Features channels_of(const FeatureModel::Features& features, std::int64_t first,
                                   std::int64_t last) {
  FeatureModel::Features found;
  for (const auto& feature : features) found.push_back(feature.slice(1, first, last));
  return found;
}

void require_pyramid(const std::vector<std::vector<std::int64_t>>& shapes) {
  CADENZA_REQUIRE(!shapes.empty() && shapes[0][0] % 2 == 0, ErrorCode::kInvalidArgument,
                  "csflow: expected features of an even number of channels, got ",
                  shapes.empty() ? 0 : shapes[0][0], "; choose another tap");
  for (std::size_t scale = 1; scale < shapes.size(); ++scale) {
    const auto& fine = shapes[scale - 1];
    const auto& coarse = shapes[scale];
    CADENZA_REQUIRE(
        coarse[0] == fine[0] && 2 * coarse[1] == fine[1] && 2 * coarse[2] == fine[2],
        ErrorCode::kInvalidArgument, "csflow: features of ", fine[1], "x", fine[2], " and ",
        coarse[1], "x", coarse[2],
        " do not halve; choose a size that the network's stride divides at every scale");
  }
}

}  // namespace

CrossScaleFlow::CrossScaleFlow(const CrossScaleFlowSpec& spec,
                               const std::vector<std::vector<std::int64_t>>& shapes,
                               at::Device device)
    : spec_(spec), n_scales_(shapes.size()), channels_(0), layers_(device) {
  require_pyramid(shapes);
  channels_ = shapes[0][0];
  const auto half = channels_ / 2;
  for (std::int64_t block = 0; block < spec.n_blocks; ++block) {
    const std::int64_t kernel = block + 1 == spec.n_blocks ? 5 : 3;
    const LayerShape inner{.in = half, .out = spec.hidden, .kernel = kernel};
    const LayerShape outer{.in = spec.hidden, .out = 2 * half, .kernel = kernel};
    auto halving = outer;
    halving.stride = 2;
    for (const auto* which : {"first", "second"}) {
      const auto net = net_name(block, which);
      for (std::size_t scale = 0; scale < n_scales_; ++scale) {
        layers_.add_convolution(scale_name(net, "inner", scale), inner);
        layers_.add_convolution(scale_name(net, "outer", scale), outer);
        layers_.add_factor(scale_name(net, "factor", scale));
        if (scale + 1 == n_scales_) continue;
        layers_.add_convolution(scale_name(net, "down", scale), halving);
        layers_.add_convolution(scale_name(net, "up", scale + 1), outer);
      }
    }
  }
  draw(0);
}

void CrossScaleFlow::draw(std::uint64_t seed) {
  permutations_.clear();
  for (std::int64_t block = 0; block < spec_.n_blocks; ++block) {
    for (std::size_t scale = 0; scale < n_scales_; ++scale) {
      Rng rng(seed, cat("permutation ", block, " ", scale));
      permutations_.push_back(at::tensor(rng.permutation(channels_), at::kLong));
    }
  }
}

void CrossScaleFlow::save(StatePiece& out) const {
  out.tensors["permutations"] = at::stack(permutations_);
}

void CrossScaleFlow::load(PieceReader& in) {
  const auto all = in.tensor("permutations");
  const std::int64_t n = std::ssize(permutations_);
  const at::Tensor sorted = all.dim() == 2 ? std::get<0>(all.sort(1)) : all;
  CADENZA_REQUIRE(all.dim() == 2 && all.size(0) == n &&
                      sorted.equal(at::arange(channels_, at::kLong).expand({n, channels_})),
                  ErrorCode::kCorruptData, "state: 'permutations': expected ", n,
                  " permutations of ", channels_, " channels, found shape ", all.sizes());
  permutations_ = all.clone().unbind(0);
}

CrossScaleFlow::Change CrossScaleFlow::predict(const std::string& net,
                                               const Features& halves) const {
  Features hidden;
  for (std::size_t scale = 0; scale < n_scales_; ++scale) {
    hidden.push_back(at::leaky_relu(
        layers_.convolve(scale_name(net, "inner", scale), halves[scale]), spec_.slope));
  }
  Change change;
  for (std::size_t scale = 0; scale < n_scales_; ++scale) {
    at::Tensor raw = layers_.convolve(scale_name(net, "outer", scale), hidden[scale]);
    if (scale > 0) {
      raw = raw + layers_.convolve(scale_name(net, "down", scale - 1), hidden[scale - 1]);
    }
    if (scale + 1 < n_scales_) {
      raw = raw +
            layers_.convolve(scale_name(net, "up", scale + 1), twice_as_large(hidden[scale + 1]));
    }
    raw = raw * layers_.factor(scale_name(net, "factor", scale));
    const auto half = channels_ / 2;
    const double reach = spec_.clamp * 2 / std::numbers::pi;
    change.log_scale.push_back(reach * at::atan(raw.slice(1, 0, half) / spec_.clamp));
    change.shift.push_back(raw.slice(1, half, 2 * half));
  }
  return change;
}

CrossScaleFlow::Mapped CrossScaleFlow::map(const Features& features) const {
  Mapped mapped{features, at::zeros({features[0].size(0)}, features[0].options())};
  const auto half = channels_ / 2;
  const auto apply = [&](const std::string& net, const Features& from, Features& to) {
    const auto change = predict(net, from);
    for (std::size_t scale = 0; scale < n_scales_; ++scale) {
      to[scale] = change.log_scale[scale].exp() * to[scale] + change.shift[scale];
      mapped.log_determinant = mapped.log_determinant + change.log_scale[scale].flatten(1).sum(1);
    }
  };
  for (std::int64_t block = 0; block < spec_.n_blocks; ++block) {
    Features permuted;
    for (std::size_t scale = 0; scale < n_scales_; ++scale) {
      const auto& order = permutations_[std::size_t(block) * n_scales_ + scale];
      permuted.push_back(mapped.z[scale].index_select(1, order.to(features[0].device())));
    }
    auto first = channels_of(permuted, 0, half), second = channels_of(permuted, half, channels_);
    apply(net_name(block, "first"), second, first);
    apply(net_name(block, "second"), first, second);
    for (std::size_t scale = 0; scale < n_scales_; ++scale) {
      mapped.z[scale] = at::cat({first[scale], second[scale]}, 1);
    }
  }
  return mapped;
}

FeatureModel::Features CrossScaleFlow::invert(const Features& z) const {
  Features features = z;
  const auto half = channels_ / 2;
  const auto undo = [&](const std::string& net, const Features& from, Features& to) {
    const auto change = predict(net, from);
    for (std::size_t scale = 0; scale < n_scales_; ++scale) {
      to[scale] = (to[scale] - change.shift[scale]) * (-change.log_scale[scale]).exp();
    }
  };
  for (auto block = spec_.n_blocks - 1; block >= 0; --block) {
    auto first = channels_of(features, 0, half), second = channels_of(features, half, channels_);
    undo(net_name(block, "second"), first, second);
    undo(net_name(block, "first"), second, first);
    for (std::size_t scale = 0; scale < n_scales_; ++scale) {
      const auto& order = permutations_[std::size_t(block) * n_scales_ + scale];
      const at::Tensor back = order.argsort().to(z[0].device());
      features[scale] = at::cat({first[scale], second[scale]}, 1).index_select(1, back);
    }
  }
  return features;
}

at::Tensor CrossScaleFlow::row_losses(const Features& features, bool) const {
  const auto mapped = map(features);
  at::Tensor squares = at::zeros_like(mapped.log_determinant);
  std::int64_t n_values = 0;
  for (const auto& z : mapped.z) {
    squares = squares + z.square().flatten(1).sum(1);
    n_values += z[0].numel();
  }
  return (squares / 2 - mapped.log_determinant) / double(n_values);
}

at::Tensor CrossScaleFlow::embeddings(const Features& features) const {
  std::vector<at::Tensor> means;
  for (const auto& z : map(features).z) means.push_back(z.mean({2, 3}));
  return at::cat(means, 1);
}

FeatureScores CrossScaleFlow::score(const Features& features) const {
  std::vector<at::Tensor> values;
  const auto mapped = map(features);
  for (const auto& z : mapped.z) values.push_back(z.square().flatten(1));
  return {.image = at::cat(values, 1).mean(1) / 2, .map = mapped.z[0].square().mean(1) / 2};
}

}  // namespace cadenza
