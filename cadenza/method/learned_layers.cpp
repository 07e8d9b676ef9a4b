#include "cadenza/method/learned_layers.h"

#include <cmath>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "cadenza/base/error.h"
#include "cadenza/base/rng.h"

namespace cadenza {

namespace {

constexpr std::int64_t kMaxRecordedValues = 4608;

at::Tensor columns_of(const at::Tensor& x, const LayerShape& shape) {
  const auto pad = shape.kernel / 2;
  const auto patches = at::im2col(x.detach(), {shape.kernel, shape.kernel}, {1, 1}, {pad, pad},
                                  {shape.stride, shape.stride});
  return patches.permute({1, 0, 2}).reshape({patches.size(1), -1});
}

void fill_uniform(const at::Tensor& tensor, double bound, Rng rng) {
  at::Tensor values = at::empty(tensor.sizes(), at::kFloat);
  auto* value = values.mutable_data_ptr<float>();
  for (std::int64_t at = 0; at < values.numel(); ++at) {
    value[at] = static_cast<float>(rng.uniform(-bound, bound));
  }
  tensor.copy_(values);
}

}  // namespace

void LearnedLayers::add_parameter(const std::string& name, std::vector<std::int64_t> shape) {
  parameters_[name] =
      at::zeros(shape, at::TensorOptions(at::kFloat).device(device_)).set_requires_grad(true);
}

void LearnedLayers::add_convolution(const std::string& name, const LayerShape& shape) {
  shapes_[name] = shape;
  const auto first = shape.is_transposed ? shape.in : shape.out;
  const auto second = shape.is_transposed ? shape.out : shape.in;
  add_parameter(name + ".weight", {first, second, shape.kernel, shape.kernel});
  if (shape.has_bias) add_parameter(name + ".bias", {shape.out});
}

void LearnedLayers::add_norm(const std::string& name, std::int64_t n_channels) {
  add_parameter(name + ".gain", {n_channels});
  add_parameter(name + ".shift", {n_channels});
  const auto options = at::TensorOptions(at::kFloat).device(device_);
  running_[name + ".mean"] = at::zeros({n_channels}, options);
  running_[name + ".variance"] = at::ones({n_channels}, options);
}

void LearnedLayers::add_factor(const std::string& name) { add_parameter(name, {1}); }

void LearnedLayers::start(std::uint64_t seed) {
  const c10::NoGradGuard no_grad;
  for (const auto& [name, parameter] : parameters_) {
    parameter.zero_();
    if (name.ends_with(".gain")) parameter.fill_(1);
  }
  for (const auto& [name, shape] : shapes_) {
    const double bound = 1 / std::sqrt(double(shape.in * shape.kernel * shape.kernel));
    for (const auto& part : {name + ".weight", name + ".bias"}) {
      const auto found = parameters_.find(part);
      if (found != parameters_.end()) fill_uniform(found->second, bound, Rng(seed, part));
    }
  }
  for (const auto& [name, statistic] : running_) {
    statistic.fill_(name.ends_with(".variance") ? 1 : 0);
  }
}

at::Tensor LearnedLayers::convolve(const std::string& name, const at::Tensor& x) const {
  const auto& shape = shapes_.at(name);
  const auto& weight = parameters_.at(name + ".weight");
  const auto bias = shape.has_bias ? parameters_.at(name + ".bias") : at::Tensor();
  if (shape.is_transposed) return at::conv_transpose2d(x, weight, bias, shape.stride);
  const bool is_small = shape.in * shape.kernel * shape.kernel <= kMaxRecordedValues;
  if (recorded_ != nullptr && is_small) (*recorded_)[name + ".weight"] = columns_of(x, shape);
  return at::conv2d(x, weight, bias, shape.stride, shape.kernel / 2);
}

at::Tensor LearnedLayers::normalise(const std::string& name, const at::Tensor& x,
                                    bool is_training) const {
  constexpr double kMomentum = 0.1, kEpsilon = 1e-5;
  const bool has_several = x.numel() > x.size(1);
  return at::batch_norm(x, parameters_.at(name + ".gain"), parameters_.at(name + ".shift"),
                        running_.at(name + ".mean"), running_.at(name + ".variance"),
                        is_training && has_several, kMomentum, kEpsilon, false);
}

const at::Tensor& LearnedLayers::factor(const std::string& name) const {
  return parameters_.at(name);
}

void LearnedLayers::save(const std::string& prefix, StatePiece& out) const {
  for (const auto* all : {&parameters_, &running_}) {
    for (const auto& [name, tensor] : *all) {
      out.tensors[prefix + name] = tensor.detach().to(at::kCPU).contiguous().clone();
    }
  }
}

void LearnedLayers::load(const std::string& prefix, PieceReader& in) {
  const c10::NoGradGuard no_grad;
  for (const auto* all : {&parameters_, &running_}) {
    for (const auto& [name, tensor] : *all) {
      const auto value = in.tensor(prefix + name);
      CADENZA_REQUIRE(value.sizes() == tensor.sizes(), ErrorCode::kCorruptData, "state: '", prefix,
                      name, "': expected ", tensor.sizes(), ", found ", value.sizes());
      tensor.copy_(value);
    }
  }
}

}  // namespace cadenza
