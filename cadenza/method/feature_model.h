#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/method/learned_layers.h"

namespace cadenza {

/// What a model reads of a frozen network.
struct FeatureSource {
  std::vector<std::string> taps;
  /// The image is fed in this many sizes, each half the one before; all taps of the first size come
  /// first.
  std::int64_t n_sizes = 1;
};

/// Judgement of B images.
struct FeatureScores {
  at::Tensor image;  ///< [B]
  at::Tensor map;    ///< [B,h,w]
};

/// Layers that learn what a frozen network shows of normal images: what methods of that kind differ
/// in. Features are one [B,C,h,w] a tap and size.
class FeatureModel {
 public:
  using Features = std::vector<at::Tensor>;

  virtual ~FeatureModel() = default;

  virtual LearnedLayers& layers() noexcept = 0;
  const LearnedLayers& layers() const noexcept { return const_cast<FeatureModel*>(this)->layers(); }

  /// Called once for a stream, beside layers().start(): what is drawn and not learned.
  virtual void draw(std::uint64_t seed) { (void)seed; }
  virtual void save(StatePiece& out) const { (void)out; }
  virtual void load(PieceReader& in) { (void)in; }

  /// [B] with a graph. `is_training`: batch norm goes by the batch.
  virtual at::Tensor row_losses(const Features& features, bool is_training) const = 0;
  /// [B,D] with a graph: what strategies compare.
  virtual at::Tensor embeddings(const Features& features) const = 0;
  virtual FeatureScores score(const Features& features) const = 0;
};

}  // namespace cadenza
