#pragma once

#include <functional>
#include <span>

#include <ATen/core/Tensor.h>

#include "cadenza/memory/gaussian.h"

namespace cadenza {

/// What DNE keeps of a task: the law of its normal embeddings, not the embeddings.
struct TaskStatistics {
  at::Tensor mean;        ///< [D] float64, of unit-length embeddings
  at::Tensor covariance;  ///< [D,D]
  double shrinkage = 0;
  std::int64_t n_images = 0;  ///< how many rows are drawn for it later
  at::Tensor root = {};       ///< root_of(covariance), or undefined: computed at every draw
};

/// Statistics of one task's embeddings [n,D] (made unit length here). `n_images`: of the task.
TaskStatistics task_statistics(const at::Tensor& embeddings, std::int64_t n_images);

/// How earlier tasks enter the one Gaussian.
struct ReplayRule {
  enum class Root { kSymmetric, kSingular, kMoments };
  Root root = Root::kSymmetric;  ///< kMoments: exact mixture moments, no sampling (not the paper's)
  double noise_ratio = 0;        ///< share of a task's draws that is pure noise
};

/// What normal draws are multiplied with so that they have this covariance.
at::Tensor root_of(const at::Tensor& covariance, const ReplayRule& rule);

/// Standard normal draws [n,D] float64.
using NormalSource = std::function<at::Tensor(std::int64_t n, std::int64_t n_dimensions)>;

/// One Gaussian over all tasks: rows drawn for every earlier task from its own statistics, the
/// current task's embeddings behind them, all made unit length.
///
/// Shapes   current [n,D]: embeddings of the current task (unit length is made here).
/// Source   Li et al., "Towards Continual Adaptation in Industrial Anomaly Detection", ACM MM 2022,
///          section 3.3; dne_cl specification 1.8.
/// Differs  draws use the symmetric root: the same law as numpy's, whatever LAPACK's signs.
ShrunkCovariance global_law(std::span<const TaskStatistics> earlier, const at::Tensor& current,
                            const ReplayRule& replay, const NormalSource& normals);

/// The same with its density.
struct GlobalDensity {
  ShrunkCovariance law;
  GaussianDensity density;
};
GlobalDensity global_density(std::span<const TaskStatistics> earlier, const at::Tensor& current,
                             const ReplayRule& replay, PrecisionRule precision,
                             const NormalSource& normals);

}  // namespace cadenza
