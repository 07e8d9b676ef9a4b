#pragma once

#include <cstdint>
#include <memory>

#include <ATen/core/Tensor.h>

#include "cadenza/base/rng.h"
#include "cadenza/continual/strategy.h"
#include "cadenza/dataset/input_spec.h"

namespace cadenza {

/// What a network of one embedding an image learns from: the rows that are made of a picture, and
/// what is asked of them.
class EmbeddingObjective {
 public:
  virtual ~EmbeddingObjective() = default;

  /// Rows of originals [n,H,W,3] uint8 of the given tasks [n], augmented: rows [0, n) are normal,
  /// further ones (if any) are twins of them. The same for the same `rng`, whatever the threads.
  virtual Batch rows(const at::Tensor& pixels, const at::Tensor& task, const InputSpec& input,
                     Rng& rng) const = 0;

  /// Classes that a linear head on the embedding tells apart; 0: there is no head.
  virtual std::int64_t n_classes() const noexcept = 0;

  /// [B] with a graph: the loss of each row. Shapes: embeddings [B,D]; logits [B,n_classes()],
  /// undefined without a head; labels [B], undefined where rows() gives none; `centre` [D]: the
  /// mean embedding of the step's normals when the step began.
  virtual at::Tensor row_losses(const at::Tensor& embeddings, const at::Tensor& logits,
                                const at::Tensor& labels, const at::Tensor& centre) const = 0;

  /// True when row_losses() reads `centre`, which costs a pass over the step's images.
  virtual bool needs_centre() const noexcept = 0;
};

enum class PairLoss {
  kCrossEntropy,
  kOfSoftmax,  ///< cross-entropy of probabilities taken for scores: an earlier release's arithmetic
};

/// Normal or broken? Every picture brings itself and its CutPaste twin. `varies`: the twin is made
/// by CutPaste, by a scar or by hiding a quarter of it, one of the three at random.
std::unique_ptr<EmbeddingObjective> make_pair_objective(PairLoss loss, bool varies);

/// Near the centre: mean over the dimensions of (embedding - centre)^2, of weakly augmented
/// normals. Source   Reiss et al., "PANDA", CVPR 2021, without its early stopping; dne_cl
/// spec. 1.11.
std::unique_ptr<EmbeddingObjective> make_compact_objective();

}  // namespace cadenza
