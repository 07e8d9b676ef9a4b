#pragma once

#include <cstdint>
#include <vector>

#include "cadenza/method/feature_model.h"

namespace cadenza {

struct ReverseStudentSpec {
  std::int64_t n_blocks = 2;  ///< residual blocks a scale; the released student has up to six
  double blur_px = 4;         ///< deviation of the Gaussian over the map
};

/// A student that sees its frozen teacher's features only through a narrow code and gives them back
/// from the deepest to the finest: where it fails, the image is unlike the normals.
///
/// 1. Code: finer scales come down to the coarsest by convolutions of stride 2, are joined, and
///    residual blocks halve them once more.
/// 2. Student: from the code up; each scale doubles the grid and ends in residual blocks whose
///    result is compared with the teacher's feature of that scale.
/// 3. Loss of a row: sum over the scales of 1 - cosine of the two features, taken as one vector.
/// 4. Map: sum over the scales of 1 - cosine at each cell, enlarged to the image, blurred; the
///    image's score is its largest value.
///
/// Shapes   every scale has twice the height and width of the next; sides of the last are even.
/// Source   Deng & Li, "Anomaly Detection via Reverse Distillation from One-Class Embedding",
///          CVPR 2022, sections 3.2 and 3.3.
/// Differs  blocks have two 3x3 convolutions whatever the teacher's have; a compared feature is
///          taken before its ReLU, since other teachers than ResNets have negative features.
class ReverseStudent final : public FeatureModel {
 public:
  /// Errors: kInvalidArgument: shapes [C,h,w] that do not fit.
  ReverseStudent(const ReverseStudentSpec& spec,
                 const std::vector<std::vector<std::int64_t>>& shapes, std::int64_t size_px,
                 at::Device device);

  LearnedLayers& layers() noexcept override { return layers_; }

  /// The code [B,2C,h/2,w/2] of the coarsest scale's [C,h,w].
  at::Tensor code(const Features& teacher, bool is_training) const;
  /// What the student makes of it, in the order and shapes of the teacher's features.
  Features student(const at::Tensor& code, bool is_training) const;

  at::Tensor row_losses(const Features& features, bool is_training) const override;
  at::Tensor embeddings(const Features& features) const override;
  FeatureScores score(const Features& features) const override;

 private:
  /// x + convolutions of x, without a last ReLU; the first convolution may halve or double.
  enum class Grid { kStays, kHalves, kDoubles };
  void add_block(const std::string& name, std::int64_t in, std::int64_t out, Grid grid);
  at::Tensor block(const std::string& name, const at::Tensor& x, bool has_shortcut,
                   bool is_training) const;
  at::Tensor blocks(const std::string& name, const at::Tensor& x, bool is_training) const;

  ReverseStudentSpec spec_;
  std::vector<std::vector<std::int64_t>> shapes_;
  std::int64_t size_px_;
  LearnedLayers layers_;
};

}  // namespace cadenza
