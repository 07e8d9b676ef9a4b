#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/memory/global_density.h"
#include "cadenza/tensor/state.h"

namespace cadenza {

/// The embeddings of one task's normals.
struct TaskEmbeddings {
  TaskId id = 0;
  std::string name;
  at::Tensor rows;  ///< [n,D], n >= 1
};

struct EmbeddingScores {
  at::Tensor score;                         ///< [B] float64, higher is more anomalous
  std::optional<at::Tensor> task;           ///< [B] int64: the nearest of the candidates
  std::optional<at::Tensor> task_distance;  ///< [B] float64, 1 = a typical normal of that task
};

/// The readers of a method's pieces while it is loaded.
struct StateReaders {
  PieceReader& shared;
  std::map<TaskId, PieceReader>& tasks;
};

/// What is kept of the tasks' embeddings, and how new ones are judged by it. Embeddings are made
/// unit length here.
///
/// Life     make -> [load] -> { learn | score | save }*.
/// Threads  score() from any number of threads at once.
class EmbeddingScorer {
 public:
  virtual ~EmbeddingScorer() = default;

  /// A step's tasks; one that comes again replaces what was kept of it. Random numbers come from
  /// `seed` and the names of the tasks.
  /// Errors: kInvalidArgument (no rows), kNumeric (NaN or Inf).
  virtual void learn(std::span<const TaskEmbeddings> step, std::uint64_t seed) = 0;

  /// Shapes   embeddings [B,D]; `candidates`: empty for all tasks.
  virtual EmbeddingScores score(const at::Tensor& embeddings,
                                std::span<const TaskId> candidates) const = 0;

  /// True when score() fills task and task_distance.
  virtual bool picks_task() const noexcept = 0;
  /// One line for those who want to know ("512 of 768 directions"); may be empty.
  virtual std::string remark() const { return {}; }

  /// Adds to the shared piece (keys start with "scorer.") and to the tasks'.
  virtual void save(MethodState& state) const = 0;
  virtual void load(const StateReaders& state) = 0;
};

/// How the precision of a fitted Gaussian is formed: relative_cut below 0 stands for what a float32
/// pseudo-inverse of this size leaves out.
struct DensityRule {
  double relative_cut = -1;
  ReplayRule replay = {};
  std::int64_t n_draws = 1;  ///< densities that are drawn and averaged
};

/// DNE: one Gaussian over all tasks, drawn anew from what is kept of each (its mean and
/// covariance). Differs  a step of several tasks keeps the statistics of each, not of all together.
std::unique_ptr<EmbeddingScorer> make_dne_scorer(const DensityRule& rule);

/// One Gaussian of the current step alone: what DNE is compared with.
std::unique_ptr<EmbeddingScorer> make_current_gaussian_scorer(const DensityRule& rule);

/// A Gaussian a task, ridge 0.01; the nearest candidate's distance counts.
/// Source   dne_cl specification 1.12 (the "ViT_DNE" of that repository).
std::unique_ptr<EmbeddingScorer> make_task_gaussian_scorer();

/// At most `capacity` embeddings a task; score 1 - the largest cosine.
/// Source   dne_cl specification 1.12.
std::unique_ptr<EmbeddingScorer> make_knn_scorer(std::int64_t capacity);

}  // namespace cadenza
