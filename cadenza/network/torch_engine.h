#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/network/engine.h"

namespace cadenza {

struct TorchOptions {
  /// kBf16 computes in bfloat16; trainable weights stay float32 and are cast at use, so that
  /// gradients and steps are float32.
  Precision precision = Precision::kF32;
  at::Device device = at::kCPU;
  /// NHWC activations: twice as fast in bfloat16 convolutions on a CPU, no use for ViT.
  bool channels_last = false;
  /// Weights to learn, by name. Errors: kNotFound when the graph does not use one.
  std::vector<std::string> trainable;
  bool outputs_on_device = false;  ///< leave outputs on `device`: what a loss wants
};

/// Walks the graph with LibTorch, node by node: the reference, the way to train, the way to a GPU.
///
/// Gradients flow to every input that asks for them (prompts, kernel deltas, masks) and to the
/// trainable weights; nothing is recorded below the first of either, since nothing there asks.
///
/// Life     make -> { run -> loss.backward() -> optimiser step on trainable() }* -> weights().
/// Threads  run() from any thread while nobody steps the trainable weights.
class TorchEngine : public Engine {
 public:
  /// What does not depend on a trainable weight (folded batch norm, resized position embeddings)
  /// is computed here, once, in float32; what does is computed again in every run.
  TorchEngine(Graph graph, std::shared_ptr<const Weights> weights, TorchOptions options = {});

  std::vector<at::Tensor> run(std::span<const at::Tensor> inputs) const override;

  struct Recorded {
    std::vector<at::Tensor> outputs;
    std::map<std::string, at::Tensor> layer_inputs;  ///< by the weight's name
  };
  /// As run(), and gives what entered the convolution or linear layer of each named weight:
  /// [B,C,H,W] before padding, or [...,I]. Errors: kNotFound (no layer uses that weight).
  Recorded run_recording(std::span<const at::Tensor> inputs,
                         std::span<const std::string> layers) const;

  /// The leaves to optimise, float32 on the device, requiring grad: an optimiser may step them in
  /// place, and the next run() sees it.
  const std::map<std::string, at::Tensor>& trainable() const noexcept { return trainable_; }

  /// All weights as they are now: trained ones copied to the CPU, the others shared. What another
  /// engine (OpenVINO, to serve) is made of.
  std::shared_ptr<const Weights> weights() const;

  /// Of the weights as they are now, when there are trainable ones.
  std::string fingerprint() const override;

 private:
  at::Tensor execute(const Node& node, const std::vector<at::Tensor>& in,
                     at::ScalarType type) const;
  int layer_of(const std::string& weight) const;
  std::vector<at::Tensor> walk(std::span<const at::Tensor> inputs,
                               const std::map<int, std::string>& wanted,
                               std::map<std::string, at::Tensor>* found) const;

  std::shared_ptr<const Weights> source_;
  TorchOptions options_;
  at::ScalarType type_;
  std::map<std::string, at::Tensor> trainable_;
  std::vector<char> folded_;           ///< by node: computed once, in constants_
  std::vector<at::Tensor> constants_;  ///< by node; undefined where not folded or not needed
  std::vector<int> last_use_;          ///< by node
  mutable std::once_flag hashed_;
  mutable std::string fingerprint_;
};

/// Float32 numbers on the CPU as a weight; shares the tensor's memory where it is such already.
WeightView weight_of(const at::Tensor& tensor);

/// A tensor over a weight's memory: must not be written to.
at::Tensor tensor_of(const WeightView& weight);

}  // namespace cadenza
