#include "cadenza/network/graph.h"

#include <algorithm>
#include <bit>
#include <sstream>

#include "cadenza/base/digest.h"
#include "cadenza/base/error.h"
#include "cadenza/base/suggest.h"

namespace cadenza {

namespace {

[[noreturn]] void fail(std::string_view what, const Shape& a, const Shape& b) {
  throw Error(ErrorCode::kInvalidArgument,
              cat(what, ": shapes ", to_string(a), " and ", to_string(b), " do not fit"));
}

Shape broadcast(const Shape& a, const Shape& b) {
  Shape out(std::max(a.size(), b.size()), 1);
  for (std::size_t from_end = 1; from_end <= out.size(); ++from_end) {
    const auto in_a = from_end <= a.size() ? a[a.size() - from_end] : 1;
    const auto in_b = from_end <= b.size() ? b[b.size() - from_end] : 1;
    if (in_a != in_b && in_a != 1 && in_b != 1) fail("broadcast", a, b);
    out[out.size() - from_end] = in_a == 1 ? in_b : in_a;
  }
  return out;
}

/// Positions of a window of `kernel` over `size` pixels and `pads` more.
std::int64_t n_windows(std::int64_t size, std::int64_t kernel, int stride, int pads) {
  return (size + pads - kernel) / stride + 1;
}

/// Elements of one image's share.
std::int64_t n_elements(const Shape& shape) {
  std::int64_t product = 1;
  for (const auto size : shape) product *= size == kBatch ? 1 : size;
  return product;
}

bool has_batch(const Shape& shape) { return !shape.empty() && shape[0] == kBatch; }

std::string describe(const Op& any) {
  const auto bits = [](float value) { return std::bit_cast<std::uint32_t>(value); };
  return std::visit(
      Overloaded{
          [](const op::Input& o) { return cat("input ", o.name, ' ', static_cast<int>(o.type)); },
          [](const op::Weight& o) { return cat("weight ", o.name); },
          [&](const op::Scalar& o) { return cat("scalar ", bits(o.value)); },
          [](const op::ToFloat&) { return std::string("to_float"); },
          [](const op::Elementwise& o) { return cat("math ", static_cast<int>(o.kind)); },
          [](const op::Activation& o) { return cat("activation ", static_cast<int>(o.kind)); },
          [](const op::Conv& o) {
            return cat("conv ", o.stride, ' ', o.pads.top, ' ', o.pads.left, ' ', o.pads.bottom,
                       ' ', o.pads.right, ' ', o.groups);
          },
          [](const op::TransposedConv& o) { return cat("transposed_conv ", o.stride); },
          [](const op::Pool& o) {
            return cat("pool ", static_cast<int>(o.kind), ' ', o.kernel, ' ', o.stride, ' ', o.pad);
          },
          [](const op::GlobalMean&) { return std::string("global_mean"); },
          [](const op::Linear&) { return std::string("linear"); },
          [](const op::MatMul&) { return std::string("matmul"); },
          [&](const op::LayerNorm& o) { return cat("layer_norm ", bits(o.epsilon)); },
          [](const op::Attention& o) { return cat("attention ", o.n_heads); },
          [](const op::GridAttention& o) {
            return cat("grid_attention ", o.n_heads, ' ', o.rows, ' ', o.columns, ' ', o.window);
          },
          [](const op::Reshape&) { return std::string("reshape"); },
          [](const op::Permute& o) {
            return cat("permute ", to_string(Shape(o.order.begin(), o.order.end())));
          },
          [](const op::Slice& o) { return cat("slice ", o.axis, ' ', o.begin, ' ', o.end); },
          [](const op::Pad& o) { return cat("pad ", o.axis, ' ', o.n_zeros); },
          [](const op::Concat& o) { return cat("concat ", o.axis); },
          [](const op::Resize& o) { return cat("resize ", static_cast<int>(o.filter)); }},
      any);
}

}  // namespace

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (const auto size : shape) {
    if (text.size() > 1) text += ',';
    text += size == kBatch ? "B" : std::to_string(size);
  }
  return text + "]";
}

GraphValue Graph::push(Op op, const std::vector<GraphValue>& in, Shape shape) {
  const bool is_source = std::holds_alternative<op::Input>(op);
  Node node{std::move(op), {}, std::move(shape), !is_source};
  for (const auto value : in) {
    if (!value.defined()) continue;
    node.in.push_back(value.node);
    node.constant = node.constant && nodes_[value.node].constant;
  }
  nodes_.push_back(std::move(node));
  return {static_cast<int>(nodes_.size()) - 1};
}

void Graph::require_axis(GraphValue x, int axis, const char* what) const {
  CADENZA_REQUIRE(axis >= 0 && axis < static_cast<int>(shape(x).size()),
                  ErrorCode::kInvalidArgument, what, ": ", to_string(shape(x)), " has no axis ",
                  axis);
}

GraphValue Graph::input(std::string name, Shape shape, ElementType type) {
  for (const auto& node : nodes_) {
    const auto* other = std::get_if<op::Input>(&node.op);
    CADENZA_REQUIRE(other == nullptr || other->name != name, ErrorCode::kInvalidArgument, "input '",
                    name, "' is described twice");
  }
  return push(op::Input{std::move(name), type}, {}, std::move(shape));
}

GraphValue Graph::weight(std::string name, Shape shape, WeightInit init) {
  return push(op::Weight{std::move(name), init}, {}, std::move(shape));
}

GraphValue Graph::scalar(float value) { return push(op::Scalar{value}, {}, {}); }

GraphValue Graph::to_float(GraphValue x) { return push(op::ToFloat{}, {x}, shape(x)); }

GraphValue Graph::math(MathKind kind, GraphValue a, GraphValue b) {
  return push(op::Elementwise{kind}, {a, b}, broadcast(shape(a), shape(b)));
}

GraphValue Graph::rsqrt(GraphValue a) {
  return push(op::Elementwise{MathKind::kRsqrt}, {a}, shape(a));
}

GraphValue Graph::sin(GraphValue a) { return push(op::Elementwise{MathKind::kSin}, {a}, shape(a)); }

GraphValue Graph::cos(GraphValue a) { return push(op::Elementwise{MathKind::kCos}, {a}, shape(a)); }

GraphValue Graph::activate(GraphValue x, ActivationKind kind) {
  return push(op::Activation{kind}, {x}, shape(x));
}

GraphValue Graph::conv(GraphValue x, GraphValue w, GraphValue bias, op::Conv how) {
  const auto& s = shape(x);
  const auto& k = shape(w);
  if (s.size() != 4 || k.size() != 4 || s[1] != k[1] * how.groups || k[0] % how.groups != 0) {
    fail(cat("conv of ", how.groups, " groups"), s, k);
  }
  if (bias.defined() && shape(bias) != Shape{k[0]}) fail("bias of conv", k, shape(bias));
  Shape to{s[0], k[0], n_windows(s[2], k[2], how.stride, how.pads.top + how.pads.bottom),
           n_windows(s[3], k[3], how.stride, how.pads.left + how.pads.right)};
  if (to[2] < 1 || to[3] < 1) fail("conv", s, k);
  return push(how, {x, w, bias}, std::move(to));
}

GraphValue Graph::transposed_conv(GraphValue x, GraphValue w, GraphValue bias,
                                  op::TransposedConv how) {
  const auto& s = shape(x);
  const auto& k = shape(w);
  if (s.size() != 4 || k.size() != 4 || s[1] != k[0] || how.stride < 1) {
    fail("transposed_conv", s, k);
  }
  if (bias.defined() && shape(bias) != Shape{k[1]}) {
    fail("bias of transposed_conv", k, shape(bias));
  }
  Shape to{s[0], k[1], (s[2] - 1) * how.stride + k[2], (s[3] - 1) * how.stride + k[3]};
  return push(how, {x, w, bias}, std::move(to));
}

GraphValue Graph::pool(GraphValue x, op::Pool how) {
  const auto& s = shape(x);
  if (s.size() != 4) fail("pool", s, {how.kernel, how.kernel});
  Shape to{s[0], s[1], n_windows(s[2], how.kernel, how.stride, 2 * how.pad),
           n_windows(s[3], how.kernel, how.stride, 2 * how.pad)};
  if (to[2] < 1 || to[3] < 1) fail("pool", s, {how.kernel, how.kernel});
  return push(how, {x}, std::move(to));
}

GraphValue Graph::global_mean(GraphValue x) {
  if (shape(x).size() != 4) fail("global_mean", shape(x), {kBatch, 1, 1, 1});
  return push(op::GlobalMean{}, {x}, {shape(x)[0], shape(x)[1]});
}

GraphValue Graph::linear(GraphValue x, GraphValue w, GraphValue bias) {
  Shape out = shape(x);
  if (out.empty() || shape(w).size() != 2 || out.back() != shape(w)[1]) {
    fail("linear", out, shape(w));
  }
  out.back() = shape(w)[0];
  if (bias.defined() && shape(bias) != Shape{out.back()}) {
    fail("bias of linear", shape(w), shape(bias));
  }
  return push(op::Linear{}, {x, w, bias}, std::move(out));
}

GraphValue Graph::matmul(GraphValue a, GraphValue b) {
  const auto& left = shape(a);
  const auto& right = shape(b);
  if (left.size() < 2 || left.size() != right.size() || left.back() != right[right.size() - 2]) {
    fail("matmul", left, right);
  }
  Shape out = broadcast({left.begin(), left.end() - 2}, {right.begin(), right.end() - 2});
  out.push_back(left[left.size() - 2]);
  out.push_back(right.back());
  return push(op::MatMul{}, {a, b}, std::move(out));
}

GraphValue Graph::layer_norm(GraphValue x, GraphValue gain, GraphValue bias, float epsilon) {
  const Shape channels{shape(x).back()};
  if (shape(gain) != channels) fail("gain of layer_norm", shape(x), shape(gain));
  if (shape(bias) != channels) fail("bias of layer_norm", shape(x), shape(bias));
  return push(op::LayerNorm{epsilon}, {x, gain, bias}, shape(x));
}

GraphValue Graph::attention(GraphValue q, GraphValue k, GraphValue v, int n_heads) {
  if (shape(k) != shape(v)) fail("k and v of attention", shape(k), shape(v));
  if (shape(q).size() != 3 || shape(k).size() != 3 || shape(q)[2] != shape(k)[2] ||
      shape(q)[2] % n_heads != 0) {
    fail(cat("q and k of attention with ", n_heads, " heads"), shape(q), shape(k));
  }
  Shape to = shape(q);
  to[0] = broadcast({to[0]}, {shape(k)[0]})[0];
  return push(op::Attention{n_heads}, {q, k, v}, std::move(to));
}

GraphValue Graph::grid_attention(GraphValue q, GraphValue k, GraphValue v, GraphValue by_row,
                                 GraphValue by_column, op::GridAttention how) {
  const auto& s = shape(q);
  if (s != shape(k)) fail("q and k of grid_attention", s, shape(k));
  if (s != shape(v)) fail("q and v of grid_attention", s, shape(v));
  const bool fits = s.size() == 3 && s[1] == how.rows * how.columns && s[2] % how.n_heads == 0 &&
                    (how.window == 0 ? how.rows == how.columns
                                     : how.window > 0 && how.rows % how.window == 0 &&
                                           how.columns % how.window == 0);
  if (!fits) {
    fail(cat("grid_attention of ", how.n_heads, " heads in windows of ", how.window), s,
         {how.rows, how.columns});
  }
  const auto side = how.window == 0 ? how.rows : how.window;
  const Shape table{2 * side - 1, s[2] / how.n_heads};
  if (shape(by_row) != table) fail("rows of grid_attention", table, shape(by_row));
  if (shape(by_column) != table) fail("columns of grid_attention", table, shape(by_column));
  return push(how, {q, k, v, by_row, by_column}, s);
}

GraphValue Graph::reshape(GraphValue x, Shape to) {
  if (n_elements(shape(x)) != n_elements(to) || has_batch(shape(x)) != has_batch(to)) {
    fail("reshape", shape(x), to);
  }
  return push(op::Reshape{to}, {x}, to);
}

GraphValue Graph::permute(GraphValue x, std::vector<int> order) {
  Shape sorted(order.begin(), order.end());
  std::ranges::sort(sorted);
  bool valid = sorted.size() == shape(x).size();
  for (std::size_t axis = 0; axis < sorted.size(); ++axis) {
    valid = valid && sorted[axis] == static_cast<std::int64_t>(axis);
  }
  if (!valid || (has_batch(shape(x)) && order[0] != 0)) {
    fail("permute", shape(x), Shape(order.begin(), order.end()));
  }
  Shape to;
  for (const auto axis : order) to.push_back(shape(x)[axis]);
  return push(op::Permute{std::move(order)}, {x}, std::move(to));
}

GraphValue Graph::slice(GraphValue x, int axis, std::int64_t begin, std::int64_t end) {
  require_axis(x, axis, "slice");
  Shape to = shape(x);
  if (begin < 0 || end <= begin || end > to[axis]) fail("slice", to, {begin, end});
  to[axis] = end - begin;
  return push(op::Slice{axis, begin, end}, {x}, std::move(to));
}

GraphValue Graph::pad(GraphValue x, int axis, std::int64_t n_zeros) {
  require_axis(x, axis, "pad");
  Shape to = shape(x);
  if (n_zeros < 0 || to[axis] == kBatch) fail("pad", to, {axis, n_zeros});
  if (n_zeros == 0) return x;
  to[axis] += n_zeros;
  return push(op::Pad{axis, n_zeros}, {x}, std::move(to));
}

GraphValue Graph::concat(std::vector<GraphValue> parts, int axis) {
  CADENZA_REQUIRE(!parts.empty(), ErrorCode::kInvalidArgument, "concat of nothing");
  require_axis(parts[0], axis, "concat");
  const bool batched =
      std::ranges::any_of(parts, [&](GraphValue part) { return has_batch(shape(part)); });
  Shape to = shape(parts[0]);
  if (batched) {
    CADENZA_REQUIRE(axis > 0, ErrorCode::kInvalidArgument, "concat along the batch");
    to[0] = kBatch;
  }
  to[axis] = 0;
  for (const auto part : parts) {
    Shape like = shape(part);
    if (like.size() != to.size()) fail("concat", shape(parts[0]), like);
    to[axis] += like[axis];
    like[axis] = to[axis];
    if (batched && like[0] == 1) like[0] = kBatch;
    if (like != to) fail("concat", shape(parts[0]), shape(part));
  }
  return push(op::Concat{axis}, parts, std::move(to));
}

GraphValue Graph::resize(GraphValue x, std::int64_t height, std::int64_t width,
                         ResizeFilter filter) {
  const auto& s = shape(x);
  if (s.size() != 4 || height < 1 || width < 1) fail("resize", s, {height, width});
  if (s[2] == height && s[3] == width) return x;
  return push(op::Resize{filter}, {x}, {s[0], s[1], height, width});
}

void Graph::output(std::string name, GraphValue x) {
  for (const auto& [other, node] : outputs_) {
    CADENZA_REQUIRE(other != name, ErrorCode::kInvalidArgument, "output '", name,
                    "' is described twice");
  }
  outputs_.emplace_back(std::move(name), x.node);
}

void Graph::prune() {
  std::vector<char> needed(nodes_.size());
  for (const auto& [name, node] : outputs_) needed[node] = 1;
  for (std::size_t after = nodes_.size(); after > 0; --after) {
    const auto& node = nodes_[after - 1];
    if (!needed[after - 1]) continue;
    for (const auto in : node.in) needed[in] = 1;
  }
  std::vector<int> moved(nodes_.size());
  std::vector<Node> kept;
  for (std::size_t index = 0; index < nodes_.size(); ++index) {
    if (!needed[index]) continue;
    moved[index] = static_cast<int>(kept.size());
    kept.push_back(std::move(nodes_[index]));
    for (auto& in : kept.back().in) in = moved[in];
  }
  for (auto& [name, node] : outputs_) node = moved[node];
  nodes_ = std::move(kept);
}

std::vector<int> Graph::inputs() const {
  std::vector<int> found;
  for (std::size_t index = 0; index < nodes_.size(); ++index) {
    if (std::holds_alternative<op::Input>(nodes_[index].op)) {
      found.push_back(static_cast<int>(index));
    }
  }
  return found;
}

namespace {

std::size_t index_of(std::string_view kind, std::string_view name,
                     const std::vector<std::string>& known) {
  const auto found = std::ranges::find(known, name);
  CADENZA_REQUIRE(found != known.end(), ErrorCode::kNotFound,
                  unknown_name_message(kind, name, known));
  return static_cast<std::size_t>(found - known.begin());
}

}  // namespace

std::size_t Graph::input_index(std::string_view name) const {
  std::vector<std::string> known;
  for (const auto index : inputs()) known.push_back(std::get<op::Input>(nodes_[index].op).name);
  return index_of("input", name, known);
}

std::size_t Graph::output_index(std::string_view name) const {
  std::vector<std::string> known;
  for (const auto& [output_name, node] : outputs_) known.push_back(output_name);
  return index_of("output", name, known);
}

double Graph::macs() const {
  double total = 0;
  for (const auto& node : nodes_) {
    if (node.constant) continue;
    const auto in = [&](int which) -> const Shape& { return nodes_[node.in[which]].shape; };
    const auto here = static_cast<double>(n_elements(node.shape));
    if (std::holds_alternative<op::Conv>(node.op)) {
      total += here * static_cast<double>(n_elements(in(1)) / in(1)[0]);
    } else if (std::holds_alternative<op::Linear>(node.op)) {
      total += here * static_cast<double>(in(1)[1]);
    } else if (std::holds_alternative<op::Attention>(node.op)) {
      total += 2 * here * static_cast<double>(in(1)[1]);
    } else if (std::holds_alternative<op::TransposedConv>(node.op)) {
      total += static_cast<double>(n_elements(in(0)) * n_elements(in(1)) / in(1)[0]);
    } else if (std::holds_alternative<op::MatMul>(node.op)) {
      total += here * static_cast<double>(in(0).back());
    } else if (const auto* grid = std::get_if<op::GridAttention>(&node.op)) {
      const auto seen =
          grid->window == 0 ? grid->rows * grid->columns : grid->window * grid->window;
      const auto side = grid->window == 0 ? grid->rows : grid->window;
      total += 2 * here * static_cast<double>(seen + side);
    }
  }
  return total;
}

std::string Graph::digest() const {
  Sha256 hash;
  for (const auto& node : nodes_) {
    hash.add(cat(describe(node.op), ' ', to_string(Shape(node.in.begin(), node.in.end())), ' ',
                 to_string(node.shape), '\n'));
  }
  for (const auto& [name, node] : outputs_) hash.add(cat("output ", name, ' ', node, '\n'));
  return hash.hex();
}

}  // namespace cadenza
