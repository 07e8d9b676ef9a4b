#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/method/dual_prompt/prompt.h"
#include "cadenza/network/engine.h"
#include "cadenza/network/environment.h"
#include "cadenza/network/registry.h"
#include "cadenza/network/torch_engine.h"

namespace cadenza::dual_prompt {

/// The part of a network from tap `from` (empty: the image) to tap `to`, prompts being its inputs
/// `delta.<site>` and `gate.<site>`.
Graph describe_prompted(const NetworkEntry& network, const DualPromptSettings& settings,
                        const std::string& from, const std::string& to);

/// The inputs of such a graph for this prompt, in the graph's order.
std::vector<at::Tensor> prompted_inputs(const Graph& graph, const DualPromptSettings& settings,
                                        const at::Tensor& first, const DualPrompt& prompt);

/// A frozen network up to the analysis site, cut where the first prompt enters: what lies before it
/// is the same with and without prompts.
///
///   images --start()--> prefix --plain()----> features
///                             \--prompted()-> features, of a prompt
///
/// Without prompts start() goes up to the analysis site and plain() gives what it is given. One
/// compiled prompted pass serves every task: prompts are inputs of it.
///
/// Shapes   images [B,3,H,W]; features [B,C,rows,columns], all float32 on the CPU.
/// Threads  const members from any thread.
class PromptedNetwork {
 public:
  /// Errors: those of load_weights() and make_engine().
  PromptedNetwork(const DualPromptSettings& settings, const NetworkEnvironment& environment);

  at::Tensor start(const at::Tensor& images) const;
  at::Tensor plain(const at::Tensor& prefix) const;
  /// Before the head. All images by one prompt.
  at::Tensor prompted(const at::Tensor& prefix, const DualPrompt& prompt) const;

  /// The prompted pass with gradients to the prompt, on device().
  class Trainable {
   public:
    at::Tensor features(const at::Tensor& prefix, const DualPrompt& prompt) const;

   private:
    friend class PromptedNetwork;
    const DualPromptSettings* settings_ = nullptr;
    std::unique_ptr<TorchEngine> engine_;
  };
  /// Holds copies of some weights: keep it for a training, not longer. Borrows this network.
  Trainable trainable() const;

  const std::vector<std::int64_t>& prefix_sizes() const noexcept { return prefix_sizes_; }
  std::int64_t n_channels() const noexcept { return n_channels_; }
  std::int64_t rows() const noexcept { return rows_; }
  std::int64_t columns() const noexcept { return columns_; }
  at::Device device() const noexcept { return options_.device; }
  Precision precision() const noexcept { return options_.precision; }
  const std::string& fingerprint() const noexcept { return fingerprint_; }

 private:
  DualPromptSettings settings_;
  EngineOptions options_;
  std::shared_ptr<const Weights> weights_;
  std::vector<std::int64_t> prefix_sizes_;  ///< [C,h,w]
  std::int64_t n_channels_, rows_, columns_;
  std::unique_ptr<Engine> start_, plain_, prompted_;
  std::string fingerprint_;
};

}  // namespace cadenza::dual_prompt
