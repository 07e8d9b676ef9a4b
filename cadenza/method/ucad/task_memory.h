#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/memory/nearest.h"
#include "cadenza/memory/patch_embedding.h"
#include "cadenza/memory/released_random.h"
#include "cadenza/method/method.h"
#include "cadenza/method/ucad/settings.h"

namespace cadenza {

/// How features of `width` channels on a grid of `side` x `side` patches are embedded.
PatchEmbeddingOptions embedding_options(const UcadSettings& settings, std::int64_t width,
                                        std::int64_t side);

/// The random numbers of one task's coresets: our own streams, named after the task, or (compat)
/// the authors' two generators.
class CoresetRandom {
 public:
  CoresetRandom(std::uint64_t seed, std::string task, bool is_released);
  at::Tensor projection(std::int64_t n_out, std::int64_t n_in);
  std::vector<std::int64_t> start_rows(std::int64_t n, std::int64_t k);
  ReleasedRandom& released() { return released_; }

 private:
  std::uint64_t seed_;
  std::string task_;
  bool is_released_;
  ReleasedRandom released_;
};

/// Rows picked for a memory, and the image each came from.
struct PickedRows {
  at::Tensor rows;                   ///< [K,D]
  std::vector<std::int32_t> owners;  ///< [K]

  /// The first `k`, or all: what a smaller coreset would have picked.
  PickedRows first(std::int64_t k) const;
};

/// At most `k` of the patches [T,N,D] of T images, by the settings' sampler.
/// Errors: kCancelled.
PickedRows pick_rows(const UcadSettings& settings, const at::Tensor& patches, std::int64_t k,
                     CoresetRandom& random, std::stop_token stop);

/// Distances of the patches of T images [T,N,D] to the nearest row that another image gave: [T,N];
/// +inf where no other image gave one.
at::Tensor left_out_distances(const PickedRows& picked, const at::Tensor& patches);

/// A patch's score: its distance to the knowledge, or (compat) the square of it.
at::Tensor patch_scores_of(const at::Tensor& distances, const UcadSettings& settings);

/// What is kept of a task. Without a prompt, keys and knowledge are the same rows.
struct TaskMemory {
  at::Tensor prompt;     ///< [n_blocks,2,length,width]; undefined: shared, or none
  at::Tensor keys;       ///< [K,D] of the plain network
  at::Tensor knowledge;  ///< [M,D] of the prompted network
  at::Tensor basic;      ///< [L,D] the larger memory; undefined: none
  /// Of the task's normals, each without the rows it gave, in training order; empty where some
  /// image gave all rows.
  std::vector<float> scores, distances;
  double typical_distance = 1;  ///< median of those distances before it divided them
  double map_threshold = 0;     ///< the largest map value of those normals

  StatePiece save(bool has_prompt) const;
  /// Errors: kCorruptData naming the key.
  static TaskMemory load(const StatePiece& piece, const std::string& name, const UcadSettings& how,
                         std::int64_t width, std::int64_t dim);
};

/// Tensor `prompt` of a piece. Errors: kCorruptData.
at::Tensor read_prompt(PieceReader& reader, const std::string& name, const UcadSettings& how,
                       std::int64_t width);

}  // namespace cadenza
