#include "cadenza/network/openvino_engine.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <mutex>

#include <ATen/ATen.h>
#include <openvino/core/model.hpp>
#include <openvino/core/version.hpp>
#include <openvino/op/add.hpp>
#include <openvino/op/avg_pool.hpp>
#include <openvino/op/broadcast.hpp>
#include <openvino/op/clamp.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/cos.hpp>
#include <openvino/op/divide.hpp>
#include <openvino/op/gather.hpp>
#include <openvino/op/gelu.hpp>
#include <openvino/op/group_conv.hpp>
#include <openvino/op/interpolate.hpp>
#include <openvino/op/matmul.hpp>
#include <openvino/op/max_pool.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/mvn.hpp>
#include <openvino/op/pad.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/power.hpp>
#include <openvino/op/reduce_mean.hpp>
#include <openvino/op/relu.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/result.hpp>
#include <openvino/op/sigmoid.hpp>
#include <openvino/op/sin.hpp>
#include <openvino/op/slice.hpp>
#include <openvino/op/softmax.hpp>
#include <openvino/op/subtract.hpp>
#include <openvino/op/swish.hpp>
#include <openvino/op/transpose.hpp>
#include <openvino/runtime/core.hpp>
#include <openvino/runtime/properties.hpp>

#include "cadenza/base/error.h"

namespace cadenza {

namespace {

using Out = ov::Output<ov::Node>;
using Model = std::shared_ptr<ov::Model>;

/// Batches that are compiled. Any other is made of these: eights first, then single images.
constexpr std::array<std::int64_t, 2> kBatches{8, 1};

Out ints(const std::vector<std::int64_t>& values) {
  return ov::op::v0::Constant::create(ov::element::i64, {values.size()}, values);
}

Out number(float value) { return ov::op::v0::Constant::create(ov::element::f32, {}, {value}); }

template <class T, class... Arguments>
Out make(Arguments&&... arguments) {
  return std::make_shared<T>(std::forward<Arguments>(arguments)...)->output(0);
}

/// OpenVINO's constant borrows the weight's memory; its owner travels with it.
Out borrow(const WeightView& view) {
  return make<ov::op::v0::Constant>(
      ov::element::f32, ov::Shape(view.shape.begin(), view.shape.end()),
      static_cast<const void*>(view.data.data()), std::const_pointer_cast<void>(view.owner));
}

/// Emits the nodes of one graph for one batch size.
class Emitter {
 public:
  Emitter(const Graph& graph, const Weights& weights, std::int64_t batch)
      : graph_(graph), weights_(weights), batch_(batch), values_(graph.nodes().size()) {}

  Model emit() {
    for (std::size_t index = 0; index < values_.size(); ++index) {
      node_ = &graph_.nodes()[index];
      in_.clear();
      for (const auto which : node_->in) in_.push_back(values_[which]);
      values_[index] = std::visit([&](const auto& o) { return emit(o); }, node_->op);
      // A drift between the engines ends here, with the node, not in wrong numbers.
      CADENZA_REQUIRE(values_[index].get_partial_shape() == ov::PartialShape(sizes(node_->shape)),
                      ErrorCode::kInternal, "node ", index, ": described ", to_string(node_->shape),
                      ", OpenVINO infers ", values_[index].get_partial_shape().to_string());
    }
    ov::ResultVector results;
    for (const auto& [name, node] : graph_.outputs()) {
      results.push_back(std::make_shared<ov::op::v0::Result>(values_[node]));
    }
    return std::make_shared<ov::Model>(results, parameters_, "cadenza");
  }

 private:
  std::vector<std::int64_t> sizes(const Shape& shape) const {
    auto fixed = shape;
    if (!fixed.empty() && fixed[0] == kBatch) fixed[0] = batch_;
    return fixed;
  }
  Shape in_shape(int which) const { return sizes(graph_.nodes()[node_->in[which]].shape); }

  Out with_bias(const Out& y, std::size_t at, const Shape& shape) const {
    if (in_.size() <= at) return y;
    return make<ov::op::v1::Add>(y, make<ov::op::v1::Reshape>(in_[at], ints(shape), false));
  }

  Out emit(const op::Input& o) {
    const auto fixed = sizes(node_->shape);
    const auto parameter = std::make_shared<ov::op::v0::Parameter>(
        o.type == ElementType::kU8 ? ov::element::u8 : ov::element::f32, ov::PartialShape(fixed));
    parameter->set_friendly_name(o.name);
    parameters_.push_back(parameter);
    return parameter->output(0);
  }
  Out emit(const op::Weight& o) { return borrow(weights_.at(o.name, node_->shape)); }
  Out emit(const op::Scalar& o) { return number(o.value); }
  Out emit(const op::ToFloat&) { return make<ov::op::v0::Convert>(in_[0], ov::element::f32); }
  Out emit(const op::Elementwise& o) {
    switch (o.kind) {
      case MathKind::kAdd:
        return make<ov::op::v1::Add>(in_[0], in_[1]);
      case MathKind::kSub:
        return make<ov::op::v1::Subtract>(in_[0], in_[1]);
      case MathKind::kMul:
        return make<ov::op::v1::Multiply>(in_[0], in_[1]);
      case MathKind::kDiv:
        return make<ov::op::v1::Divide>(in_[0], in_[1]);
      case MathKind::kRsqrt:
        return make<ov::op::v1::Power>(in_[0], number(-0.5F));
      case MathKind::kSin:
        return make<ov::op::v0::Sin>(in_[0]);
      case MathKind::kCos:
        return make<ov::op::v0::Cos>(in_[0]);
    }
    throw Error(ErrorCode::kInternal, "math");
  }
  Out emit(const op::Activation& o) {
    switch (o.kind) {
      case ActivationKind::kRelu:
        return make<ov::op::v0::Relu>(in_[0]);
      case ActivationKind::kRelu6:
        return make<ov::op::v0::Clamp>(in_[0], 0., 6.);
      case ActivationKind::kSilu:
        return make<ov::op::v4::Swish>(in_[0]);
      case ActivationKind::kGelu:
        return make<ov::op::v7::Gelu>(in_[0]);
      case ActivationKind::kSigmoid:
        return make<ov::op::v0::Sigmoid>(in_[0]);
    }
    throw Error(ErrorCode::kInternal, "activation");
  }
  Out emit(const op::Conv& o) {
    const ov::Strides stride(2, static_cast<std::size_t>(o.stride));
    const ov::CoordinateDiff begin{o.pads.top, o.pads.left}, end{o.pads.bottom, o.pads.right};
    const ov::Strides dilation{1, 1};
    const Shape bias{1, node_->shape[1], 1, 1};
    if (o.groups == 1) {
      return with_bias(make<ov::op::v1::Convolution>(in_[0], in_[1], stride, begin, end, dilation),
                       2, bias);
    }
    const auto k = in_shape(1);
    const auto grouped = make<ov::op::v1::Reshape>(
        in_[1], ints({o.groups, k[0] / o.groups, k[1], k[2], k[3]}), false);
    return with_bias(
        make<ov::op::v1::GroupConvolution>(in_[0], grouped, stride, begin, end, dilation), 2, bias);
  }
  Out emit(const op::TransposedConv& o) {
    const ov::Strides stride(2, static_cast<std::size_t>(o.stride));
    return with_bias(
        make<ov::op::v1::ConvolutionBackpropData>(in_[0], in_[1], stride, ov::CoordinateDiff{0, 0},
                                                  ov::CoordinateDiff{0, 0}, ov::Strides{1, 1}),
        2, {1, node_->shape[1], 1, 1});
  }
  Out emit(const op::Pool& o) {
    const auto square = [](int side) { return ov::Shape(2, static_cast<std::size_t>(side)); };
    const auto steps = square(o.stride);
    const ov::Strides stride(steps.begin(), steps.end());
    if (o.kind == PoolKind::kMax) {
      return make<ov::op::v1::MaxPool>(in_[0], stride, square(o.pad), square(o.pad),
                                       square(o.kernel));
    }
    return make<ov::op::v1::AvgPool>(in_[0], stride, square(o.pad), square(o.pad), square(o.kernel),
                                     false);
  }
  Out emit(const op::GlobalMean&) {
    return make<ov::op::v1::ReduceMean>(in_[0], ints({2, 3}), false);
  }
  Out emit(const op::Linear&) {
    return with_bias(make<ov::op::v0::MatMul>(in_[0], in_[1], false, true), 2, {in_shape(1)[0]});
  }
  Out emit(const op::MatMul&) { return make<ov::op::v0::MatMul>(in_[0], in_[1], false, false); }
  Out emit(const op::LayerNorm& o) {
    const auto normal =
        make<ov::op::v6::MVN>(in_[0], ints({-1}), true, o.epsilon, ov::op::MVNEpsMode::INSIDE_SQRT);
    return make<ov::op::v1::Add>(make<ov::op::v1::Multiply>(normal, in_[1]), in_[2]);
  }
  /// MatMul, Softmax, MatMul: the plugin's fused operation is not faster (engine.md section 4).
  Out emit(const op::Attention& o) {
    const auto heads = [&](int which) {
      const auto s = in_shape(which);
      const auto split = make<ov::op::v1::Reshape>(
          in_[which], ints({s[0], s[1], o.n_heads, s[2] / o.n_heads}), false);
      return make<ov::op::v1::Transpose>(split, ints({0, 2, 1, 3}));
    };
    const auto width = static_cast<float>(in_shape(0)[2]) / static_cast<float>(o.n_heads);
    const auto q = make<ov::op::v1::Multiply>(heads(0), number(1 / std::sqrt(width)));
    const auto map =
        make<ov::op::v8::Softmax>(make<ov::op::v0::MatMul>(q, heads(1), false, true), -1);
    const auto mixed =
        make<ov::op::v1::Transpose>(make<ov::op::v0::MatMul>(map, heads(2)), ints({0, 2, 1, 3}));
    return make<ov::op::v1::Reshape>(mixed, ints(sizes(node_->shape)), false);
  }
  /// The same in windows, with the two relative terms added; queries row by row where the logits of
  /// all of them would be large.
  Out emit(const op::GridAttention& o) {
    const auto side_y = o.window == 0 ? o.rows : o.window;
    const auto side_x = o.window == 0 ? o.columns : o.window;
    const auto down = o.rows / side_y, across = o.columns / side_x;
    const auto batch = in_shape(0)[0], width = in_shape(0)[2], depth = width / o.n_heads;
    const auto n_windows = batch * down * across, n_cells = side_y * side_x;
    const auto reshape = [](const Out& x, const Shape& to) {
      return make<ov::op::v1::Reshape>(x, ints(to), false);
    };
    const auto slice = [](const Out& x, std::int64_t axis, std::int64_t begin, std::int64_t end) {
      return make<ov::op::v8::Slice>(x, ints({begin}), ints({end}), ints({1}), ints({axis}));
    };
    const auto windows = [&](int which) {  // [windows,heads,cells,D]
      const auto cut = reshape(in_[which], {batch, down, side_y, across, side_x, o.n_heads, depth});
      return reshape(make<ov::op::v1::Transpose>(cut, ints({0, 1, 3, 5, 2, 4, 6})),
                     {n_windows, o.n_heads, n_cells, depth});
    };
    const auto relative = [&](int which, std::int64_t side) {  // [S,D,S]
      std::vector<std::int64_t> rows;
      for (std::int64_t query = 0; query < side; ++query) {
        for (std::int64_t key = 0; key < side; ++key) rows.push_back(query - key + side - 1);
      }
      const auto taken = make<ov::op::v8::Gather>(in_[which], ints(rows), ints({0}));
      return make<ov::op::v1::Transpose>(reshape(taken, {side, side, depth}), ints({0, 2, 1}));
    };
    const auto q = windows(0), k = windows(1), v = windows(2);
    const auto by_row = relative(3, side_y), by_column = relative(4, side_x);
    const auto scale = number(1 / std::sqrt(static_cast<float>(depth)));
    const auto n_groups = n_windows * o.n_heads;
    const auto row_bytes = n_groups * side_x * n_cells * 4;
    const auto rows_at_once = std::clamp<std::int64_t>(kGridAttentionBytes / row_bytes, 1, side_y);
    ov::OutputVector parts;
    for (std::int64_t first = 0; first < side_y; first += rows_at_once) {
      const auto n_rows = std::min(rows_at_once, side_y - first);
      const auto n_queries = n_rows * side_x;
      const auto part = slice(q, 2, first * side_x, first * side_x + n_queries);
      const auto grid = reshape(part, {n_groups, n_rows, side_x, depth});
      const auto to_row = reshape(
          make<ov::op::v0::MatMul>(grid, slice(by_row, 0, first, first + n_rows), false, false),
          {n_groups, n_queries, side_y, 1});
      const auto turned = make<ov::op::v1::Transpose>(grid, ints({0, 2, 1, 3}));
      const auto by_query_column = make<ov::op::v0::MatMul>(turned, by_column, false, false);
      const auto to_column =
          reshape(make<ov::op::v1::Transpose>(by_query_column, ints({0, 2, 1, 3})),
                  {n_groups, n_queries, 1, side_x});
      const auto scaled = make<ov::op::v1::Multiply>(part, scale);
      const auto logits = reshape(make<ov::op::v0::MatMul>(scaled, k, false, true),
                                  {n_groups, n_queries, side_y, side_x});
      const auto biased = make<ov::op::v1::Add>(make<ov::op::v1::Add>(logits, to_row), to_column);
      const auto map = make<ov::op::v8::Softmax>(
          reshape(biased, {n_windows, o.n_heads, n_queries, n_cells}), -1);
      parts.push_back(make<ov::op::v0::MatMul>(map, v));
    }
    const auto mixed = parts.size() == 1 ? parts[0] : make<ov::op::v0::Concat>(parts, 2);
    const auto placed = make<ov::op::v1::Transpose>(
        reshape(mixed, {batch, down, across, o.n_heads, side_y, side_x, depth}),
        ints({0, 1, 4, 2, 5, 3, 6}));
    return reshape(placed, {batch, o.rows * o.columns, width});
  }
  Out emit(const op::Reshape& o) {
    return make<ov::op::v1::Reshape>(in_[0], ints(sizes(o.shape)), false);
  }
  Out emit(const op::Permute& o) {
    return make<ov::op::v1::Transpose>(in_[0], ints({o.order.begin(), o.order.end()}));
  }
  Out emit(const op::Slice& o) {
    return make<ov::op::v8::Slice>(in_[0], ints({o.begin}), ints({o.end}), ints({1}),
                                   ints({o.axis}));
  }
  Out emit(const op::Pad& o) {
    std::vector<std::int64_t> none(node_->shape.size(), 0), behind = none;
    behind[o.axis] = o.n_zeros;
    return make<ov::op::v1::Pad>(in_[0], ints(none), ints(behind), number(0),
                                 ov::op::PadMode::CONSTANT);
  }
  Out emit(const op::Concat& o) {
    ov::OutputVector parts(in_.begin(), in_.end());
    for (std::size_t part = 0; part < parts.size() && o.axis != 0; ++part) {
      auto shape = in_shape(static_cast<int>(part));
      const auto batch = sizes(node_->shape)[0];
      if (shape[0] == batch) continue;
      shape[0] = batch;
      parts[part] = make<ov::op::v3::Broadcast>(parts[part], ints(shape));
    }
    return make<ov::op::v0::Concat>(parts, o.axis);
  }
  Out emit(const op::Resize& o) {
    using Base = ov::op::util::InterpolateBase;
    Base::InterpolateAttrs how;
    how.mode = o.filter == ResizeFilter::kNearest    ? Base::InterpolateMode::NEAREST
               : o.filter == ResizeFilter::kBilinear ? Base::InterpolateMode::LINEAR_ONNX
                                                     : Base::InterpolateMode::CUBIC;
    how.shape_calculation_mode = Base::ShapeCalcMode::SIZES;
    how.coordinate_transformation_mode = o.filter == ResizeFilter::kNearest
                                             ? Base::CoordinateTransformMode::ASYMMETRIC
                                             : Base::CoordinateTransformMode::PYTORCH_HALF_PIXEL;
    how.nearest_mode = Base::NearestMode::FLOOR;
    how.cube_coeff = -0.75;
    return make<ov::op::v11::Interpolate>(in_[0], ints({node_->shape[2], node_->shape[3]}),
                                          ints({2, 3}), how);
  }

  const Graph& graph_;
  const Weights& weights_;
  std::int64_t batch_;
  std::vector<Out> values_;
  ov::ParameterVector parameters_;
  const Node* node_ = nullptr;  ///< being emitted
  std::vector<Out> in_;         ///< its inputs
};

/// A network compiled for one batch size, with the requests nobody uses at the moment.
class Compiled {
 public:
  explicit Compiled(ov::CompiledModel model) : model_(std::move(model)) {}

  ov::InferRequest take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return model_.create_infer_request();
    auto request = std::move(free_.back());
    free_.pop_back();
    return request;
  }
  void give_back(ov::InferRequest request) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(request));
  }

 private:
  ov::CompiledModel model_;
  std::mutex mutex_;
  std::vector<ov::InferRequest> free_;
};

ov::Tensor wrap(const at::Tensor& tensor) {
  const auto sizes = tensor.sizes();
  return {tensor.scalar_type() == at::kByte ? ov::element::u8 : ov::element::f32,
          ov::Shape(sizes.begin(), sizes.end()), tensor.data_ptr()};
}

class OpenvinoEngine : public Engine {
 public:
  OpenvinoEngine(Graph described, std::shared_ptr<const Weights> weights,
                 const EngineOptions& options)
      : Engine(std::move(described)), weights_(std::move(weights)), options_(options) {
    weights_->require(graph());
  }

  std::vector<at::Tensor> run(std::span<const at::Tensor> inputs) const override {
    const auto n_images = require_inputs(inputs);
    std::vector<at::Tensor> given;
    for (const auto& input : inputs) given.push_back(input.detach().to(at::kCPU).contiguous());
    std::vector<at::Tensor> outputs;
    for (const auto& [name, node] : graph().outputs()) {
      auto sizes = graph().nodes()[node].shape;
      if (!sizes.empty() && sizes[0] == kBatch) sizes[0] = n_images;
      outputs.push_back(at::empty(sizes, at::kFloat));
    }
    std::int64_t done = 0;
    for (const auto batch : kBatches) {
      for (; n_images - done >= batch; done += batch) run_part(given, done, batch, outputs);
    }
    return outputs;
  }

  std::string fingerprint() const override {
    std::call_once(hashed_, [&] {
      fingerprint_ =
          cat("openvino-", openvino_version(), ':', to_string(options_.precision), ":cpu:graph-",
              graph().digest().substr(0, 16), ":weights-", weights_->digest(graph()).substr(0, 16));
    });
    return fingerprint_;
  }

 private:
  /// Images [done, done + batch) of every batched tensor.
  void run_part(const std::vector<at::Tensor>& given, std::int64_t done, std::int64_t batch,
                const std::vector<at::Tensor>& outputs) const {
    const auto part = [&](const at::Tensor& whole, const Shape& shape) {
      return !shape.empty() && shape[0] == kBatch ? whole.narrow(0, done, batch) : whole;
    };
    try {
      auto& compiled = compiled_for(batch);
      auto request = compiled.take();
      const auto described = graph().inputs();
      for (std::size_t index = 0; index < given.size(); ++index) {
        const auto& shape = graph().nodes()[described[index]].shape;
        request.set_input_tensor(index, wrap(part(given[index], shape)));
      }
      for (std::size_t index = 0; index < outputs.size(); ++index) {
        const auto& shape = graph().nodes()[graph().outputs()[index].second].shape;
        request.set_output_tensor(index, wrap(part(outputs[index], shape)));
      }
      request.infer();
      compiled.give_back(std::move(request));
    } catch (const ov::Exception& error) {
      throw Error(ErrorCode::kInternal, cat("OpenVINO: ", error.what()));
    }
  }

  Compiled& compiled_for(std::int64_t batch) const {
    const std::lock_guard lock(mutex_);
    auto& compiled = compiled_[batch];
    if (compiled == nullptr) {
      ov::AnyMap settings{
          // Without it an AMX machine computes in bfloat16 whatever the model says.
          ov::hint::inference_precision(options_.precision == Precision::kBf16 ? ov::element::bf16
                                                                               : ov::element::f32),
          ov::hint::enable_cpu_pinning(false), ov::num_streams(options_.n_streams)};
      if (options_.n_threads > 0) settings.insert(ov::inference_num_threads(options_.n_threads));
      compiled = std::make_unique<Compiled>(
          core_.compile_model(Emitter(graph(), *weights_, batch).emit(), "CPU", settings));
    }
    return *compiled;
  }

  std::shared_ptr<const Weights> weights_;
  EngineOptions options_;
  mutable std::mutex mutex_;
  mutable ov::Core core_;
  mutable std::map<std::int64_t, std::unique_ptr<Compiled>> compiled_;
  mutable std::once_flag hashed_;
  mutable std::string fingerprint_;
};

}  // namespace

std::string openvino_version() {
  return cat(OPENVINO_VERSION_MAJOR, '.', OPENVINO_VERSION_MINOR, '.', OPENVINO_VERSION_PATCH);
}

std::unique_ptr<Engine> make_openvino_engine(Graph graph, std::shared_ptr<const Weights> weights,
                                             const EngineOptions& options) {
  return std::make_unique<OpenvinoEngine>(std::move(graph), std::move(weights), options);
}

}  // namespace cadenza
