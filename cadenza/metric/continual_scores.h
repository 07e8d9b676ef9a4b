#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace cadenza {

/// One metric of every task after every step: rows are steps 0..S, columns tasks in the order in
/// which they are learned. Absent: undefined, or not measured.
using MetricMatrix = std::vector<std::vector<std::optional<double>>>;

/// What a matrix R says about learning one task after another. Each mean is over the tasks (or
/// steps) where its terms are defined, and absent where there are none.
struct ContinualScores {
  std::optional<double> final_mean;  ///< ACC: mean of the last row
  /// Mean over tasks j with s(j) < S of max over s(j) <= i < S of R[i][j], minus R[S][j].
  std::optional<double> forgetting;
  /// The same with the last step among those compared: never negative.
  std::optional<double> forgetting_inclusive;
  std::optional<double> backward_transfer;  ///< same tasks: mean of R[S][j] - R[s(j)][j]
  std::optional<double> forward_transfer;   ///< mean over s(j) > 0 of R[s(j)-1][j] - `chance`
  std::optional<double>
      average_incremental;  ///< mean over steps of the mean of tasks seen (IUF's ACC)
  /// With A_k the mean over tasks seen after step k: mean over k >= 1 of max_{j<k} A_j - A_k.
  std::optional<double> forgetting_iuf;
};

/// `learned_in[j]` is s(j), the step in which task j is learned. `chance` is the metric of a blind
/// guess (0.5 for AUROC); absent: forward transfer is absent.
/// Errors   kInvalidArgument: rows of different lengths, or a step outside the matrix.
ContinualScores continual_scores(const MetricMatrix& matrix,
                                 std::span<const std::int64_t> learned_in,
                                 std::optional<double> chance);

}  // namespace cadenza
