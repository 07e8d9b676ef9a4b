#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/network/engine.h"
#include "cadenza/network/environment.h"
#include "cadenza/network/registry.h"

namespace cadenza {

struct FeatureRequest {
  std::string network = "efficientnet_lite0";
  std::vector<std::string> taps;
  std::int64_t height_px = 0, width_px = 0;  ///< 0: the network's own size
  std::string weights;                       ///< as load_weights(): "", "random:7", a file
  std::string precision = "f32";             ///< auto, f32 or bf16, see pick_precision()
};

/// A frozen network that turns images into named features: what most methods need of this folder.
///
/// Runs on OpenVINO when the environment's device is the CPU, else on LibTorch there.
/// Threads  const members from any thread.
class FeatureExtractor {
 public:
  /// Errors: those of NetworkRegistry::find, load_weights, make_engine; kNotFound for a tap.
  FeatureExtractor(const FeatureRequest& request, const NetworkEnvironment& environment);

  /// Shapes   images [B,3,H,W] float32, normalised with mean() and stddev(); one [B,C,h,w] (or
  ///          [B,C], [B,N,C]) float32 tensor a tap, in the order asked for, on the CPU.
  std::vector<at::Tensor> extract(const at::Tensor& images) const;

  /// The same through the environment's cache, where there is one: only images it lacks run.
  /// `digests` name the images (B of them): equal digests must mean equal pixels, for instance
  /// tensor_digest() of each.
  std::vector<at::Tensor> extract(const at::Tensor& images,
                                  std::span<const std::string> digests) const;

  const NetworkEntry& entry() const noexcept { return entry_; }
  const std::vector<TapInfo>& taps() const noexcept { return taps_; }
  const Engine& engine() const noexcept { return *engine_; }

  /// "efficientnet_lite0:256x256:openvino-2026.4.1:f32:...": two extractors of one fingerprint give
  /// the same features of the same tensor. Preprocessing is the caller's to add.
  std::string fingerprint() const;

 private:
  NetworkEntry entry_;
  std::vector<TapInfo> taps_;
  std::int64_t height_px_, width_px_;
  std::unique_ptr<Engine> engine_;
  FeatureCache* cache_;
};

/// SHA-256 of a tensor's shape and float32 numbers, hexadecimal.
std::string tensor_digest(const at::Tensor& tensor);

}  // namespace cadenza
