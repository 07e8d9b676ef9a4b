#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/memory/patch_coreset.h"
#include "cadenza/memory/patch_embedding.h"
#include "cadenza/memory/patch_scores.h"
#include "cadenza/method/dual_prompt/prompt.h"
#include "cadenza/method/dual_prompt/prompted_network.h"
#include "cadenza/tensor/state.h"

namespace cadenza::dual_prompt {

/// How the network's features, projected where prompts are learned, are embedded.
PatchEmbeddingOptions embedding_options(const DualPromptSettings& settings,
                                        const PromptedNetwork& network);

/// A patch's score: its distance to the knowledge, or (compat) the square of it.
at::Tensor patch_scores_of(const at::Tensor& distances, const DualPromptSettings& settings);

/// What is kept of a task. With one_memory(), keys and knowledge are the same rows.
struct TaskMemory {
  DualPrompt prompt;     ///< empty: shared, or none
  at::Tensor keys;       ///< [K,C] of the plain network
  at::Tensor knowledge;  ///< [M,D] of the prompted network
  at::Tensor basic;      ///< [L,D] the larger memory; undefined: none
  /// Of the task's normals, each without the rows it gave, in training order; empty where some
  /// image gave all rows.
  std::vector<float> scores, distances;
  double typical_distance = 1;  ///< median of the distances
  double map_threshold = 0;     ///< the largest map value of those normals

  /// `keys`, distances and typical_distance of the images' plain cells [T,N,C].
  void set_keys(const PickedPatches& picked, const at::Tensor& cells,
                const DualPromptSettings& settings);
  /// `knowledge`, scores and map_threshold of the images' embedded cells [T,N,D].
  void set_knowledge(const PickedPatches& picked, const at::Tensor& cells,
                     const PromptedNetwork& network, const DualPromptSettings& settings);

  StatePiece save(const DualPromptSettings& settings) const;
  /// `n_channels`: of keys, `dim`: of knowledge. Errors: kCorruptData naming the key.
  static TaskMemory load(const StatePiece& piece, const std::string& name,
                         const DualPromptSettings& settings, std::int64_t n_channels,
                         std::int64_t dim);
};

void save_prompt(const DualPrompt& prompt, StatePiece& piece);
/// Errors: kCorruptData naming the key.
DualPrompt load_prompt(PieceReader& reader, const std::string& name,
                       const DualPromptSettings& settings, std::int64_t n_channels);

MapSmoothing smoothing(const DualPromptSettings& settings);

}  // namespace cadenza::dual_prompt
