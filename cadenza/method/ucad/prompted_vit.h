#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/method/ucad/settings.h"
#include "cadenza/network/engine.h"
#include "cadenza/network/environment.h"
#include "cadenza/network/registry.h"
#include "cadenza/network/torch_engine.h"

namespace cadenza {

/// A frozen ViT up to the tapped block, cut where the first prompt enters: what lies before it is
/// the same with and without a prompt.
///
///   images --start()--> tokens --plain()----> features
///                              \-prompted()-> features, of a prompt
///
/// Tokens [B,1+N,width] are what enters the first prompted block; features [B,N,width] are the
/// patches of the tapped block, raw. Without prompts start() goes up to the tap and plain() only
/// drops the class token.
///
/// Frozen passes run on OpenVINO on a CPU, on LibTorch elsewhere; on the CPU an image's numbers do
/// not depend on its batch.
/// Threads  const members from any thread.
class PromptedVit {
 public:
  /// Errors: those of load_weights() and make_engine(); kNotFound: the network has no such block.
  PromptedVit(const UcadSettings& settings, const NetworkEnvironment& environment);

  at::Tensor start(const at::Tensor& images) const;
  at::Tensor plain(const at::Tensor& tokens) const;
  /// prefix: as prompt_tokens() gives it for these images.
  at::Tensor prompted(const at::Tensor& tokens, const std::vector<at::Tensor>& prefix) const;

  /// The prompted pass with gradients to the prefix, on device(); the result is there.
  class Trainable {
   public:
    at::Tensor features(const at::Tensor& tokens, const std::vector<at::Tensor>& prefix) const;

   private:
    friend class PromptedVit;
    explicit Trainable(std::unique_ptr<TorchEngine> engine) : engine_(std::move(engine)) {}
    std::unique_ptr<TorchEngine> engine_;
  };
  /// Copies the needed weights: keep it for a task's training, not longer.
  Trainable trainable() const;

  std::int64_t width() const noexcept { return width_; }
  std::int64_t rows() const noexcept { return rows_; }
  std::int64_t columns() const noexcept { return rows_; }
  std::int64_t n_patches() const noexcept { return rows_ * rows_; }
  at::Device device() const noexcept { return device_; }
  const std::string& fingerprint() const noexcept { return fingerprint_; }

 private:
  std::unique_ptr<Engine> make(const Graph& graph) const;

  at::Device device_;
  EngineOptions options_;
  std::shared_ptr<const Weights> weights_;
  std::int64_t width_, rows_;
  std::unique_ptr<Engine> start_, plain_, prompted_;
  Graph prompted_graph_;
  std::string fingerprint_;
};

}  // namespace cadenza
