#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/network/engine.h"
#include "cadenza/network/environment.h"
#include "cadenza/network/registry.h"
#include "cadenza/network/torch_engine.h"
#include "cadenza/tensor/state.h"

namespace cadenza {

struct LearnedNetworkRequest {
  std::string network = "efficientnet_lite0";
  std::string weights;                       ///< as load_weights(): "", "random:7", a file
  std::int64_t height_px = 0, width_px = 0;  ///< 0: the network's own size
  /// What is learned: "all", "none", or "last_K": the last K stages (of a ViT: blocks) and what
  /// lies behind them. "all" leaves a ViT's patch convolution as it is.
  std::string trainable = "all";
  std::string precision = "f32";  ///< of the frozen part and of training: see pick_precision()
};

/// A network whose end is learned and whose beginning is not, that turns images into one embedding
/// each ("pre_logits" where the family has it, else "pooled").
///
/// The frozen beginning runs without gradients (on OpenVINO where the device is the CPU) and its
/// result is remembered for the images of the last call: a strategy that asks again for the same
/// batch does not pay for it twice. Scoring runs the whole network on OpenVINO.
///
/// Batch norm uses its running statistics throughout; its gain and bias are learned.
///
/// Life     make -> { embeddings -> backward -> optimiser }* -> refresh() -> infer().
/// Threads  infer() from any number of threads; the others need exclusive access.
class LearnedNetwork {
 public:
  /// Errors: as NetworkRegistry::find and load_weights; kInvalidArgument for `trainable`.
  LearnedNetwork(const LearnedNetworkRequest& request, const NetworkEnvironment& environment);

  const NetworkEntry& entry() const noexcept { return entry_; }
  std::int64_t height_px() const noexcept { return height_px_; }
  std::int64_t width_px() const noexcept { return width_px_; }
  std::int64_t n_dimensions() const noexcept { return n_dimensions_; }
  /// Of the network as it came, before anything was learned: see Engine::fingerprint().
  const std::string& fingerprint() const noexcept { return fingerprint_; }

  /// Names sorted; leaves on the device.
  const std::map<std::string, at::Tensor>& parameters() const { return learner().trainable(); }

  /// [B,D], with a graph where gradients are recorded. Shapes: images [B,3,H,W] float32.
  at::Tensor embeddings(const at::Tensor& images) const;
  /// The inputs of the layer whose weight is `name` as columns [d_in,n]; undefined when there is no
  /// such layer. One pass serves all layers of the same images.
  at::Tensor layer_input(const std::string& name, const at::Tensor& images) const;

  /// Makes infer() use the parameters as they are now. Cost: OpenVINO compiles the network.
  void refresh();
  /// [B,D] by the parameters as refresh() found them.
  at::Tensor infer(const at::Tensor& images) const;

  /// Keys `prefix`<name>: learned parameters alone.
  void save(const std::string& prefix, StatePiece& out) const;
  /// Also refreshes.
  void load(const std::string& prefix, PieceReader& in);

 private:
  const TorchEngine& learner() const;
  at::Tensor frozen_part(const at::Tensor& images) const;

  NetworkEntry entry_;
  std::int64_t height_px_, width_px_, n_dimensions_ = 0;
  std::string tap_, start_;  ///< start_: the tap behind which learning begins; empty: the image
  EngineOptions engine_options_;
  std::shared_ptr<const Weights> weights_;
  std::string fingerprint_;
  std::unique_ptr<TorchEngine> learner_;
  std::shared_ptr<const Engine> scorer_;
  mutable std::unique_ptr<Engine> beginning_;  ///< made when it is first needed
  struct Remembered {
    at::Tensor images, features;
  };
  mutable Remembered beginning_of_;
  struct Recorded {
    at::Tensor images;
    std::map<std::string, at::Tensor> inputs;
  };
  mutable Recorded recorded_;
};

/// The patches that a convolution sees, one a column: [C/groups*k*k, n] of x [B,C,H,W] and a kernel
/// [O,C/groups,k,k]; or the rows of a linear layer's input [...,I] as columns [I,n].
at::Tensor layer_columns(const Graph& graph, const std::string& weight, const at::Tensor& input);

}  // namespace cadenza
