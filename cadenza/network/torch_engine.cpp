#include "cadenza/network/torch_engine.h"

#include <algorithm>
#include <cstring>
#include <set>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <torch/version.h>

#include "cadenza/base/error.h"
#include "cadenza/base/suggest.h"
#include "cadenza/network/learned_depthwise.h"

namespace cadenza {

namespace {

/// By node: does it depend on one of the named weights?
std::vector<char> depends_on(const Graph& graph, const std::set<std::string>& names) {
  std::vector<char> found(graph.nodes().size());
  for (std::size_t index = 0; index < found.size(); ++index) {
    const Node& node = graph.nodes()[index];
    const auto* weight = std::get_if<op::Weight>(&node.op);
    found[index] = weight != nullptr && names.contains(weight->name);
    for (const auto in : node.in) found[index] |= found[in];
  }
  return found;
}

at::Device usable(at::Device device) {
  if (device.is_cpu()) return device;
  try {
    at::zeros({1}, at::TensorOptions(device));
  } catch (const std::exception&) {
    throw Error(ErrorCode::kUnsupported,
                cat("device ", device.str(), ": this machine or this build of LibTorch has none"));
  }
  return device;
}

at::Tensor broadcast_concat(const std::vector<at::Tensor>& parts, int axis) {
  if (axis == 0) return at::cat(parts, 0);
  std::int64_t batch = 1;
  for (const auto& part : parts) batch = std::max(batch, part.size(0));
  std::vector<at::Tensor> repeated;
  for (const auto& part : parts) {
    auto sizes = part.sizes().vec();
    sizes[0] = batch;
    repeated.push_back(part.expand(sizes));
  }
  return at::cat(repeated, axis);
}

at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int n_heads) {
  const auto batch = std::max(q.size(0), k.size(0));
  const auto heads = [&](const at::Tensor& x) {
    return x.expand({batch, x.size(1), x.size(2)})
        .reshape({batch, x.size(1), n_heads, x.size(2) / n_heads})
        .transpose(1, 2);
  };
  return at::scaled_dot_product_attention(heads(q), heads(k), heads(v))
      .transpose(1, 2)
      .reshape({batch, q.size(1), q.size(2)});
}

/// [S,S,D]: row q-k+S-1 of the table for every pair of places.
at::Tensor relative_rows(const at::Tensor& table, std::int64_t side) {
  const auto place = at::arange(side, at::TensorOptions(at::kLong).device(table.device()));
  const auto row = place.unsqueeze(1) - place.unsqueeze(0) + (side - 1);
  return table.index_select(0, row.flatten()).view({side, side, table.size(1)});
}

at::Tensor attend_grid(const std::vector<at::Tensor>& in, const op::GridAttention& how) {
  const auto side_y = how.window == 0 ? how.rows : how.window;
  const auto side_x = how.window == 0 ? how.columns : how.window;
  const auto down = how.rows / side_y, across = how.columns / side_x;
  const auto batch = in[0].size(0), width = in[0].size(2), depth = width / how.n_heads;
  const auto n_windows = batch * down * across, n_cells = side_y * side_x;
  const auto windows = [&](const at::Tensor& x) {  // [windows,heads,cells,D]
    return x.reshape({batch, down, side_y, across, side_x, how.n_heads, depth})
        .permute({0, 1, 3, 5, 2, 4, 6})
        .reshape({n_windows, how.n_heads, n_cells, depth});
  };
  const auto q = windows(in[0]), k = windows(in[1]), v = windows(in[2]);
  const auto by_row = relative_rows(in[3], side_y), by_column = relative_rows(in[4], side_x);
  const auto row_bytes = n_windows * how.n_heads * side_x * n_cells * 4;
  const auto rows_at_once = std::clamp<std::int64_t>(kGridAttentionBytes / row_bytes, 1, side_y);
  std::vector<at::Tensor> parts;
  for (std::int64_t first = 0; first < side_y; first += rows_at_once) {
    const auto n_rows = std::min(rows_at_once, side_y - first);
    const auto part = q.narrow(2, first * side_x, n_rows * side_x);
    const auto cells = part.reshape({n_windows, how.n_heads, n_rows, side_x, depth});
    const auto to_row = at::einsum("nhyxd,ykd->nhyxk", {cells, by_row.narrow(0, first, n_rows)});
    const auto to_column = at::einsum("nhyxd,xkd->nhyxk", {cells, by_column});
    const auto bias = (to_row.unsqueeze(-1) + to_column.unsqueeze(-2))
                          .reshape({n_windows, how.n_heads, n_rows * side_x, n_cells});
    parts.push_back(at::scaled_dot_product_attention(part, k, v, bias));
  }
  return at::cat(parts, 2)
      .reshape({batch, down, across, how.n_heads, side_y, side_x, depth})
      .permute({0, 1, 4, 2, 5, 3, 6})
      .reshape({batch, how.rows * how.columns, width});
}

}  // namespace

WeightView weight_of(const at::Tensor& tensor) {
  const auto plain = tensor.detach().to(at::kCPU, at::kFloat).contiguous();
  auto owner = std::make_shared<at::Tensor>(plain);
  return {plain.sizes().vec(),
          {plain.const_data_ptr<float>(), static_cast<std::size_t>(plain.numel())},
          std::move(owner)};
}

at::Tensor tensor_of(const WeightView& weight) {
  return at::from_blob(
      const_cast<float*>(weight.data.data()), weight.shape, [owner = weight.owner](void*) {},
      at::TensorOptions(at::kFloat));
}

TorchEngine::TorchEngine(Graph described, std::shared_ptr<const Weights> weights,
                         TorchOptions options)
    : Engine(std::move(described)),
      source_(std::move(weights)),
      options_(std::move(options)),
      type_(options_.precision == Precision::kBf16 ? at::kBFloat16 : at::kFloat) {
  source_->require(graph());
  options_.device = usable(options_.device);
  const c10::InferenceMode ordinary(false);  // constants made under it could not meet autograd
  const c10::NoGradGuard no_grad;
  const auto nodes = graph().nodes();
  const std::set<std::string> learned(options_.trainable.begin(), options_.trainable.end());
  const auto live = depends_on(graph(), learned);

  folded_.resize(nodes.size());
  constants_.resize(nodes.size());
  last_use_.assign(nodes.size(), -1);
  std::vector<char> needed(nodes.size());
  for (std::size_t index = 0; index < nodes.size(); ++index) {
    const Node& node = nodes[index];
    folded_[index] = node.constant && !live[index];
    for (const auto in : node.in) {
      last_use_[in] = static_cast<int>(index);
      if (!folded_[index]) needed[in] = true;
    }
    const auto* weight = std::get_if<op::Weight>(&node.op);
    if (weight != nullptr && live[index]) {
      auto& leaf = trainable_[weight->name];
      if (leaf.defined()) continue;
      leaf = tensor_of(source_->at(weight->name, node.shape)).to(options_.device).clone();
      leaf.set_requires_grad(true);
    } else if (weight != nullptr) {
      constants_[index] = tensor_of(source_->at(weight->name, node.shape));
    } else if (folded_[index]) {
      std::vector<at::Tensor> in;
      for (const auto input : node.in) in.push_back(constants_[input]);
      constants_[index] = execute(node, in, at::kFloat);
    }
  }
  for (const auto& name : learned) {
    std::vector<std::string> known;
    for (const auto& node : nodes) {
      if (const auto* weight = std::get_if<op::Weight>(&node.op)) known.push_back(weight->name);
    }
    CADENZA_REQUIRE(trainable_.contains(name), ErrorCode::kNotFound,
                    unknown_name_message("weight to train", name, known));
  }
  for (const auto& [name, node] : graph().outputs()) {
    last_use_[node] = static_cast<int>(nodes.size());
    needed[node] = true;
  }
  for (std::size_t index = 0; index < nodes.size(); ++index) {
    auto& constant = constants_[index];
    if (!needed[index]) constant = at::Tensor();
    if (!constant.defined()) continue;
    // A folded input of a live constant stays float32: that arithmetic is not the network's.
    constant = constant.to(options_.device);
    if (options_.channels_last && constant.dim() == 4) {
      constant = constant.contiguous(at::MemoryFormat::ChannelsLast);
    }
  }
  if (type_ == at::kFloat) return;
  std::vector<char> feeds_constant(nodes.size());
  for (const auto& node : nodes) {
    for (const auto in : node.in) feeds_constant[in] |= node.constant;
  }
  for (std::size_t index = 0; index < nodes.size(); ++index) {
    if (constants_[index].defined() && !feeds_constant[index]) {
      constants_[index] = constants_[index].to(type_);
    }
  }
}

std::vector<at::Tensor> TorchEngine::run(std::span<const at::Tensor> inputs) const {
  return walk(inputs, {}, nullptr);
}

TorchEngine::Recorded TorchEngine::run_recording(std::span<const at::Tensor> inputs,
                                                 std::span<const std::string> layers) const {
  std::map<int, std::string> wanted;
  for (const auto& weight : layers) wanted[layer_of(weight)] = weight;
  Recorded recorded;
  recorded.outputs = walk(inputs, wanted, &recorded.layer_inputs);
  return recorded;
}

/// The layer whose kernel or matrix is made of the named weight and of no earlier layer's result.
int TorchEngine::layer_of(const std::string& weight) const {
  const auto depends = depends_on(graph(), {weight});
  const auto nodes = graph().nodes();
  for (std::size_t index = 0; index < nodes.size(); ++index) {
    const bool is_layer = std::holds_alternative<op::Conv>(nodes[index].op) ||
                          std::holds_alternative<op::Linear>(nodes[index].op);
    if (is_layer && depends[nodes[index].in[1]]) return static_cast<int>(index);
  }
  throw Error(ErrorCode::kNotFound,
              cat("no convolution or linear layer of this graph has the weight '", weight, "'"));
}

std::vector<at::Tensor> TorchEngine::walk(std::span<const at::Tensor> inputs,
                                          const std::map<int, std::string>& wanted,
                                          std::map<std::string, at::Tensor>* found) const {
  require_inputs(inputs);
  const auto nodes = graph().nodes();
  std::vector<at::Tensor> values(nodes.size());
  std::size_t next_input = 0;
  for (std::size_t index = 0; index < nodes.size(); ++index) {
    const Node& node = nodes[index];
    if (folded_[index]) continue;
    if (const auto* input = std::get_if<op::Input>(&node.op)) {
      const auto value = inputs[next_input++].to(options_.device);
      values[index] = input->type == ElementType::kU8 ? value : value.to(type_);
      continue;
    }
    if (const auto* weight = std::get_if<op::Weight>(&node.op)) {
      values[index] = trainable_.at(weight->name);
      continue;
    }
    std::vector<at::Tensor> in;
    in.reserve(node.in.size());
    for (const auto which : node.in) {
      const auto& value = folded_[which] ? constants_[which] : values[which];
      const bool enters_network = nodes[which].constant && !node.constant;
      in.push_back(enters_network ? value.to(type_) : value);
    }
    for (const auto which : node.in) {
      if (last_use_[which] == static_cast<int>(index)) values[which] = at::Tensor();
    }
    if (const auto layer = wanted.find(static_cast<int>(index)); layer != wanted.end()) {
      found->emplace(layer->second, in[0]);
    }
    values[index] = execute(node, in, type_);
  }
  std::vector<at::Tensor> outputs;
  for (const auto& [name, node] : graph().outputs()) {
    auto output = (folded_[node] ? constants_[node] : values[node]).to(at::kFloat);
    if (!options_.outputs_on_device) output = output.to(at::kCPU);
    outputs.push_back(output.contiguous());
  }
  return outputs;
}

at::Tensor TorchEngine::execute(const Node& node, const std::vector<at::Tensor>& in,
                                at::ScalarType type) const {
  const auto bias = [&](std::size_t at) { return in.size() > at ? in[at] : at::Tensor(); };
  return std::visit(
      Overloaded{
          [](const op::Input&) -> at::Tensor { throw Error(ErrorCode::kInternal, "input run"); },
          [](const op::Weight&) -> at::Tensor { throw Error(ErrorCode::kInternal, "weight run"); },
          [](const op::Scalar& o) { return at::scalar_tensor(o.value); },
          [&](const op::ToFloat&) { return in[0].to(type); },
          [&](const op::Elementwise& o) -> at::Tensor {
            switch (o.kind) {
              case MathKind::kAdd:
                return at::add(in[0], in[1]);
              case MathKind::kSub:
                return at::sub(in[0], in[1]);
              case MathKind::kMul:
                return at::mul(in[0], in[1]);
              case MathKind::kDiv:
                return at::div(in[0], in[1]);
              case MathKind::kRsqrt:
                return at::rsqrt(in[0]);
              case MathKind::kSin:
                return at::sin(in[0]);
              case MathKind::kCos:
                return at::cos(in[0]);
            }
            throw Error(ErrorCode::kInternal, "math");
          },
          [&](const op::Activation& o) -> at::Tensor {
            switch (o.kind) {
              case ActivationKind::kRelu:
                return at::relu(in[0]);
              case ActivationKind::kRelu6:
                return at::hardtanh(in[0], 0., 6.);
              case ActivationKind::kSilu:
                return at::silu(in[0]);
              case ActivationKind::kGelu:
                return at::gelu(in[0]);
              case ActivationKind::kSigmoid:
                return at::sigmoid(in[0]);
            }
            throw Error(ErrorCode::kInternal, "activation");
          },
          [&](const op::Conv& o) {
            const auto& [top, left, bottom, right] = o.pads;
            auto x = in[0];
            if (options_.channels_last) x = x.contiguous(at::MemoryFormat::ChannelsLast);
            const bool even = top == bottom && left == right;
            if (!even) x = at::constant_pad_nd(x, {left, right, top, bottom});
            const at::DimVector pads = even ? at::DimVector{top, left} : at::DimVector{0, 0};
            const bool is_depthwise = o.groups > 1 && in[1].size(0) == o.groups;
            if (is_depthwise && in[1].requires_grad() && x.is_cpu()) {
              return learned_depthwise_conv(x, in[1], bias(2), o.stride, pads[0], pads[1]);
            }
            return at::conv2d(x, in[1], bias(2), {o.stride, o.stride}, pads, {1, 1}, o.groups);
          },
          [&](const op::TransposedConv& o) {
            return at::conv_transpose2d(in[0], in[1], bias(2), {o.stride, o.stride});
          },
          [&](const op::Pool& o) {
            const at::DimVector kernel(2, o.kernel), stride(2, o.stride), pad(2, o.pad);
            return o.kind == PoolKind::kMax ? at::max_pool2d(in[0], kernel, stride, pad)
                                            : at::avg_pool2d(in[0], kernel, stride, pad);
          },
          [&](const op::GlobalMean&) { return at::mean(in[0], {2, 3}); },
          [&](const op::Linear&) { return at::linear(in[0], in[1], bias(2)); },
          [&](const op::MatMul&) { return at::matmul(in[0], in[1]); },
          [&](const op::LayerNorm& o) {
            return at::layer_norm(in[0], {in[0].size(-1)}, in[1], in[2], o.epsilon);
          },
          [&](const op::Attention& o) { return attend(in[0], in[1], in[2], o.n_heads); },
          [&](const op::GridAttention& o) { return attend_grid(in, o); },
          [&](const op::Reshape& o) {
            auto shape = o.shape;
            if (!shape.empty() && shape[0] == kBatch) shape[0] = in[0].size(0);
            return in[0].reshape(shape);
          },
          [&](const op::Permute& o) {
            return in[0].permute(std::vector<std::int64_t>(o.order.begin(), o.order.end()));
          },
          [&](const op::Slice& o) { return in[0].slice(o.axis, o.begin, o.end); },
          [&](const op::Pad& o) {
            std::vector<std::int64_t> pads(2 * (in[0].dim() - o.axis), 0);
            pads.back() = o.n_zeros;  // pairs from the last axis backwards
            return at::constant_pad_nd(in[0], pads);
          },
          [&](const op::Concat& o) { return broadcast_concat(in, o.axis); },
          [&](const op::Resize& o) -> at::Tensor {
            const at::IntArrayRef size(node.shape.data() + 2, 2);
            switch (o.filter) {
              case ResizeFilter::kNearest:
                return at::upsample_nearest2d(in[0], size);
              case ResizeFilter::kBilinear:
                return at::upsample_bilinear2d(in[0], size, false);
              case ResizeFilter::kBicubic:
                return at::upsample_bicubic2d(in[0], size, false);
            }
            throw Error(ErrorCode::kInternal, "resize");
          }},
      node.op);
}

std::shared_ptr<const Weights> TorchEngine::weights() const {
  if (trainable_.empty()) return source_;
  auto now = std::make_shared<Weights>(*source_);
  for (const auto& [name, leaf] : trainable_) now->set(name, weight_of(leaf.detach().clone()));
  return now;
}

std::string TorchEngine::fingerprint() const {
  const auto of = [&](const Weights& weights) {
    return cat("torch-", TORCH_VERSION, ':', to_string(options_.precision), ':',
               options_.device.is_cpu() ? "cpu" : "cuda", ":graph-", graph().digest().substr(0, 16),
               ":weights-", weights.digest(graph()).substr(0, 16));
  };
  if (!trainable_.empty()) return of(*weights());
  std::call_once(hashed_, [&] { fingerprint_ = of(*source_); });
  return fingerprint_;
}

}  // namespace cadenza
