#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/memory/bank.h"
#include "cadenza/memory/nearest.h"
#include "cadenza/tensor/state.h"

namespace cadenza::patchcore {

/// All that is kept of one task.
struct TaskBank {
  Bank bank;
  std::vector<float> scores;     ///< of the learned images, each left out; empty: impossible
  std::vector<float> distances;  ///< their mean patch distances
  double typical_distance = 1;   ///< median of `distances`
  at::Tensor rows;               ///< derived: bank.rows()
  PackedBank packed;             ///< derived from rows
};

/// Sets what is derived.
void derive(TaskBank& task);

/// Where an image's patches lie in a bank.
struct PatchMatches {
  std::vector<float> distance;      ///< [N] to the nearest entry
  std::vector<std::int32_t> entry;  ///< [N] which one that is
};

/// Shapes   patches [N,D]. `left_out`: the image whose entries do not count; +inf without others.
PatchMatches match(const TaskBank& task, const at::Tensor& patches,
                   std::optional<std::int32_t> left_out = {});

/// The image's score: the largest patch distance s*, weighted down where m*, the entry nearest to
/// that patch p*, lies among many as near: s = (1 - e^d(p*,m*) / sum of e^d(p*,m)) s*, over the k
/// entries m that are nearest to m*, m* among them. With a single entry s = s*.
///
/// Source   Roth et al., CVPR 2022, equations 6 and 7.
float image_score(const TaskBank& task, const at::Tensor& patches, const PatchMatches& matches,
                  std::int64_t n_neighbours, std::optional<std::int32_t> left_out = {});

StatePiece save(const TaskBank& task);

/// Errors   kCorruptData naming the key.
TaskBank load(PieceReader& reader, BankCode code, std::int64_t dim);

}  // namespace cadenza::patchcore
