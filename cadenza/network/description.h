#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cadenza/network/graph.h"

namespace cadenza {

/// A named place in a network whose value can be had.
///
/// Names    `stage.K` (K from 1) the output of a stage; `sKbI` (K, I from 1) that of block I of
///          stage K; in a ViT, which has no stages, `block.I` (I from 0, as timm counts) its
///          patches as a grid, `tokens.I` all of its tokens, `cls.I` the class token; `stem`,
///          `pooled`, `pre_logits`, `logits` where the family has them.
struct TapInfo {
  std::string name;
  Shape shape;  ///< [B,C,h,w], [B,N,C] or [B,C]
  std::int64_t channels = 0;
  std::int64_t stride_px = 0;  ///< pixels of the input a cell steps; 0 when there is no grid
};

/// A block that a method may enter, found by its name in all convolutional families that have a
/// depthwise convolution (EfficientNet, ConvNeXt).
struct InjectionSite {
  std::string name;    ///< "s4b1": block 1 of stage 4, both from 1
  int stage, block;    ///< the same numbers
  Shape input_shape;   ///< of the block, [B,C,H,W]
  Shape kernel_shape;  ///< of its depthwise convolution, [C',1,k,k]
};

/// What a method puts into a network while it is described. Each function sees every site in order
/// and returns its argument where it has nothing to add; an empty one is never called.
///
/// A kernel delta is `g.add(kernel, g.input("delta." + site.name, site.kernel_shape))`: it enters
/// before the batch norm is folded, so it is exact. A mask gate is `g.mul(x, g.input(...))` on the
/// block's input, which the skip connection sees too.
struct Injection {
  std::function<GraphValue(Graph&, const InjectionSite&, GraphValue kernel)> kernel;
  std::function<GraphValue(Graph&, const InjectionSite&, GraphValue block_input)> block_input;
};

/// Key and value tokens put in front of those of a ViT's blocks from `first_block` on: inputs
/// `prefix.<block>.k` and `.v` [B,n_tokens,C], so that one compiled model serves every task and
/// every image of a batch may be of another one. They are neither projected nor normalised.
struct PrefixPrompts {
  int n_tokens = 0;
  int n_blocks = 0;
  int first_block = 0;
};

/// What to describe: which outputs of the network, for which image.
struct GraphRequest {
  std::int64_t height_px = 0, width_px = 0;  ///< 0: the network's own size
  std::vector<std::string> taps;             ///< the outputs, in this order
  /// The image enters as `image`: [B,3,H,W] float32, normalised; or, with bytes_in, [B,H,W,3] uint8
  /// RGB, normalised inside the graph by `mean` and `stddev` (of values in [0, 1]).
  bool bytes_in = false;
  std::array<float, 3> mean{0.485F, 0.456F, 0.406F};
  std::array<float, 3> stddev{0.229F, 0.224F, 0.225F};
  Injection injection;
  PrefixPrompts prefix;  ///< ViT only
  /// Not empty: the graph begins after this tap, and takes its value (an input of the tap's name
  /// and shape) instead of the image: what lies below is computed once and kept.
  std::string start_after;
  /// Not null: filled with everything that could be tapped.
  std::vector<TapInfo>* offered = nullptr;
};

/// Collects what a description offers and makes the outputs that were asked for.
class TapCollector {
 public:
  TapCollector(Graph& graph, const GraphRequest& request) : graph_(graph), request_(request) {}

  /// Returns the value to go on with: `x`, or an input when the graph starts here.
  GraphValue offer(const std::string& name, GraphValue x);

  /// Makes the outputs and prunes. Errors: kNotFound (an unknown tap; names the nearest and lists
  /// all), kInvalidArgument (a tap that lies before start_after).
  void finish();

 private:
  Graph& graph_;
  const GraphRequest& request_;
  std::vector<std::pair<std::string, GraphValue>> offered_;
  std::size_t first_ = 0;  ///< of offered_ that can still be computed
};

// Pieces that several families share. Weight names are prefix + ".weight" and so on.

GraphValue image_input(Graph& g, const GraphRequest& request);

struct ConvBn {
  std::string conv, norm;  ///< names of the convolution and of its batch norm
  std::int64_t channels;
  int kernel = 1;
  int stride = 1;
  Pads pads;
  std::int64_t groups = 1;
  float epsilon = 1e-5F;
};

/// Convolution and frozen batch norm as one convolution: the fold is arithmetic on weights, done
/// once by the engines. `edit_kernel`, when given, changes the kernel before the fold.
GraphValue conv_bn(Graph& g, GraphValue x, const ConvBn& how,
                   const std::function<GraphValue(GraphValue)>& edit_kernel = {});

/// Convolution with its bias.
GraphValue conv_bias(Graph& g, GraphValue x, const std::string& name, std::int64_t channels,
                     int kernel, op::Conv how,
                     const std::function<GraphValue(GraphValue)>& edit_kernel = {});

GraphValue linear(Graph& g, GraphValue x, const std::string& name, std::int64_t channels);
GraphValue layer_norm(Graph& g, GraphValue x, const std::string& name, float epsilon = 1e-6F);

}  // namespace cadenza
