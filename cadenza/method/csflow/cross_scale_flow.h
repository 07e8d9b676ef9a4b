#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "cadenza/method/feature_model.h"

namespace cadenza {

struct CrossScaleFlowSpec {
  std::int64_t n_blocks = 4;
  std::int64_t hidden = 1024;  ///< channels inside a coupling's subnetwork
  double clamp = 3;            ///< log-scales stay within +-clamp
  double slope = 0.1;          ///< of the leaky ReLU
};

/// An invertible map of features at several sizes onto normal variables of the same shapes: what
/// maps far from 0 is unlike the normals that were learned.
///
/// One block, on [B,C,h,w] a scale:
/// 1. the channels are permuted (drawn once),
/// 2. halves (a, b): b predicts shift and log-scale of a, then the new a those of b:
///    a <- e^s a + t, s = clamp * 2/pi * atan(raw / clamp).
/// The subnetwork of a prediction is a convolution, a leaky ReLU and a convolution at every scale,
/// and neighbouring scales add theirs: the finer through stride 2, the coarser enlarged twice. A
/// learned factor that starts at 0 multiplies its result, so that training starts at the identity.
///
/// Loss of a row: (|z|^2 / 2 - log|det J|) / number of values.
///
/// Shapes   every scale has C channels, C even, and twice the height and width of the next.
/// Source   Rudolph et al., "Fully Convolutional Cross-Scale-Flows for Image-based Defect
///          Detection", WACV 2022, section 3 (kernels 3, in the last block 5).
class CrossScaleFlow final : public FeatureModel {
 public:
  /// Errors: kInvalidArgument: shapes [C,h,w] that do not fit.
  CrossScaleFlow(const CrossScaleFlowSpec& spec,
                 const std::vector<std::vector<std::int64_t>>& shapes, at::Device device);

  LearnedLayers& layers() noexcept override { return layers_; }
  void draw(std::uint64_t seed) override;
  void save(StatePiece& out) const override;
  void load(PieceReader& in) override;

  struct Mapped {
    Features z;
    at::Tensor log_determinant;  ///< [B]
  };
  Mapped map(const Features& features) const;
  /// The features that map() takes to `z`.
  Features invert(const Features& z) const;

  at::Tensor row_losses(const Features& features, bool is_training) const override;
  at::Tensor embeddings(const Features& features) const override;
  /// Image: mean of z^2 / 2 over all values; map: the mean over the channels at the finest scale.
  FeatureScores score(const Features& features) const override;

 private:
  struct Change {
    Features log_scale, shift;
  };
  Change predict(const std::string& net, const Features& halves) const;

  CrossScaleFlowSpec spec_;
  std::size_t n_scales_;
  std::int64_t channels_;
  LearnedLayers layers_;
  std::vector<at::Tensor> permutations_;  ///< [n_blocks * n_scales] of [C] int64
};

}  // namespace cadenza
