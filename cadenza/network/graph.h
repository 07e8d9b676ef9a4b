#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace cadenza {

using Shape = std::vector<std::int64_t>;

/// The one symbolic size of a graph: the number of images of a call. Only axis 0 may hold it.
inline constexpr std::int64_t kBatch = -1;

/// "[B,3,224,224]"
std::string to_string(const Shape& shape);

enum class ElementType { kF32, kU8 };
enum class ActivationKind { kRelu, kRelu6, kSilu, kGelu, kSigmoid };
enum class MathKind { kAdd, kSub, kMul, kDiv, kRsqrt, kSin, kCos };
enum class ResizeFilter { kNearest, kBilinear, kBicubic };
enum class PoolKind { kMax, kAverage };

/// How random_weights() fills a weight: kNormal around 0, kOne around 1, kVariance uniform in
/// [0.5, 1.5).
enum class WeightInit { kNormal, kZero, kOne, kVariance };

struct Pads {
  int top = 0, left = 0, bottom = 0, right = 0;
};

/// The whole vocabulary. Both engines visit this variant without a default branch, so an operation
/// added here does not compile until both know it.
namespace op {
struct Input {  ///< fed at every call: the image, prompts, kernel deltas, masks
  std::string name;
  ElementType type;
};
struct Weight {  ///< looked up in Weights by its name, which is that of the public checkpoint
  std::string name;
  WeightInit init;
};
struct Scalar {
  float value;
};
struct ToFloat {};    ///< u8 -> f32
struct Elementwise {  ///< one (kRsqrt, kSin, kCos) or two inputs, NumPy broadcast
  MathKind kind;
};
struct Activation {  ///< kGelu is the exact one (erf)
  ActivationKind kind;
};
struct Conv {  ///< x [B,C,H,W], w [O,C/groups,k,k], bias [O] (may be absent) -> [B,O,h,w]
  int stride = 1;
  Pads pads;
  std::int64_t groups = 1;
};
struct TransposedConv {  ///< x [B,C,H,W], w [C,O,k,k], bias [O] (may be absent), no padding
  int stride = 1;        ///< -> [B,O,(H-1)*stride+k,(W-1)*stride+k]
};
struct Pool {  ///< average pooling counts its padding's zeros in
  PoolKind kind;
  int kernel, stride, pad;
};
struct GlobalMean {};  ///< [B,C,H,W] -> [B,C]
struct Linear {};      ///< x [...,I], w [O,I], bias [O] (may be absent) -> [...,O]
struct MatMul {};      ///< a [...,N,K], b [...,K,M] -> [...,N,M]; leading axes are broadcast
struct LayerNorm {     ///< over the last axis; x, gain, bias
  float epsilon;
};
struct Attention {  ///< q [B,N,C], k and v [B,M,C] -> [B,N,C]; softmax(q k^T / sqrt(C/n_heads)) v
  int n_heads;      ///< q, or k and v, may have batch 1: shared by all images
};
/// Attention of a grid's cells with decomposed relative positions: q, k, v [B,rows*columns,C],
/// by_row and by_column [2S-1,C/n_heads]. Adds q.by_row[S-1 + its row - the key's row] and the same
/// for columns to the logits (q not scaled there). window 0: one whole square grid, S its side;
/// else only cells of one window of `window` x `window` see each other, S = window, which divides
/// both sides.
struct GridAttention {
  int n_heads;
  std::int64_t rows, columns;
  std::int64_t window;
};
struct Reshape {
  Shape shape;
};
struct Permute {
  std::vector<int> order;
};
struct Slice {
  int axis;
  std::int64_t begin, end;
};
struct Pad {  ///< zeros behind the last element along an axis other than the batch
  int axis;
  std::int64_t n_zeros;
};
struct Concat {  ///< a part whose batch is 1 is repeated for every image
  int axis;
};
struct Resize {  ///< [.,C,h,w] to this node's shape; half-pixel centres, no antialiasing
  ResizeFilter filter;
};
}  // namespace op

using Op = std::variant<op::Input, op::Weight, op::Scalar, op::ToFloat, op::Elementwise,
                        op::Activation, op::Conv, op::TransposedConv, op::Pool, op::GlobalMean,
                        op::Linear, op::MatMul, op::LayerNorm, op::Attention, op::GridAttention,
                        op::Reshape, op::Permute, op::Slice, op::Pad, op::Concat, op::Resize>;

/// What a description holds of a node: its index. Default: nothing (an absent bias).
struct GraphValue {
  int node = -1;
  bool defined() const noexcept { return node >= 0; }
};

struct Node {
  Op op;
  std::vector<int> in;
  Shape shape;
  bool constant;  ///< depends on weights only: engines compute it once
};

/// A network as a value: nodes in execution order, every shape known except the batch.
///
/// A description (one function a family) records it; LibTorch walks it and OpenVINO compiles it, so
/// a network is written once. This header needs neither. Batch norm is no operation: descriptions
/// fold it into the convolution with graph arithmetic on weights, which is exact and computed once.
///
/// Errors   each recording call throws kInvalidArgument when shapes do not fit, naming both.
/// Cost     describing a network of 700 nodes takes 3 ms.
class Graph {
 public:
  GraphValue input(std::string name, Shape shape, ElementType type = ElementType::kF32);
  GraphValue weight(std::string name, Shape shape, WeightInit init = WeightInit::kNormal);
  GraphValue scalar(float value);
  GraphValue to_float(GraphValue x);
  GraphValue math(MathKind kind, GraphValue a, GraphValue b);
  GraphValue add(GraphValue a, GraphValue b) { return math(MathKind::kAdd, a, b); }
  GraphValue sub(GraphValue a, GraphValue b) { return math(MathKind::kSub, a, b); }
  GraphValue mul(GraphValue a, GraphValue b) { return math(MathKind::kMul, a, b); }
  GraphValue rsqrt(GraphValue a);
  GraphValue sin(GraphValue a);
  GraphValue cos(GraphValue a);
  GraphValue activate(GraphValue x, ActivationKind kind);
  GraphValue conv(GraphValue x, GraphValue w, GraphValue bias, op::Conv how);
  GraphValue transposed_conv(GraphValue x, GraphValue w, GraphValue bias, op::TransposedConv how);
  GraphValue pool(GraphValue x, op::Pool how);
  GraphValue global_mean(GraphValue x);
  GraphValue linear(GraphValue x, GraphValue w, GraphValue bias);
  GraphValue matmul(GraphValue a, GraphValue b);
  GraphValue layer_norm(GraphValue x, GraphValue gain, GraphValue bias, float epsilon);
  GraphValue attention(GraphValue q, GraphValue k, GraphValue v, int n_heads);
  GraphValue grid_attention(GraphValue q, GraphValue k, GraphValue v, GraphValue by_row,
                            GraphValue by_column, op::GridAttention how);
  GraphValue reshape(GraphValue x, Shape shape);
  GraphValue permute(GraphValue x, std::vector<int> order);
  GraphValue slice(GraphValue x, int axis, std::int64_t begin, std::int64_t end);
  GraphValue pad(GraphValue x, int axis, std::int64_t n_zeros);
  GraphValue concat(std::vector<GraphValue> parts, int axis);
  GraphValue resize(GraphValue x, std::int64_t height, std::int64_t width, ResizeFilter filter);

  /// Names a result. Outputs come back from engines in the order of these calls.
  void output(std::string name, GraphValue x);

  /// Removes what no output needs: the blocks after the last tap, and inputs that only they used.
  void prune();

  const Shape& shape(GraphValue x) const { return nodes_[x.node].shape; }
  std::span<const Node> nodes() const { return nodes_; }
  std::span<const std::pair<std::string, int>> outputs() const { return outputs_; }

  /// Indices of the Input nodes, in the order in which engines take them.
  std::vector<int> inputs() const;

  /// Place of a named input or output in an engine's lists. Errors: kNotFound naming the known.
  std::size_t input_index(std::string_view name) const;
  std::size_t output_index(std::string_view name) const;

  /// Multiply-accumulates for one image: convolutions, linear layers, attention.
  double macs() const;

  /// SHA-256 over all nodes and outputs: two graphs of one digest compute the same function of the
  /// same weights.
  std::string digest() const;

 private:
  GraphValue push(Op op, const std::vector<GraphValue>& in, Shape shape);
  void require_axis(GraphValue x, int axis, const char* what) const;

  std::vector<Node> nodes_;
  std::vector<std::pair<std::string, int>> outputs_;
};

/// A visitor made of lambdas, one an alternative; a missing one does not compile.
template <class... Function>
struct Overloaded : Function... {
  using Function::operator()...;
};
template <class... Function>
Overloaded(Function...) -> Overloaded<Function...>;

}  // namespace cadenza
