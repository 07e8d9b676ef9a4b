#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace cadenza {

// Thresholds and p-values from the scores S of n normals that were not learned when they were
// scored (left out). They hold for new normals that are exchangeable with those; images of another
// lot or exposure are not. Source: specs/routed_memory.md, section 6; Vovk, Gammerman, Shafer,
// "Algorithmic Learning in a Random World", 2005.

/// (1 + number of normals that score at least as high) / (n + 1): in (0, 1], steps of 1/(n + 1).
/// Uniform over those steps for a new normal.
double p_value(std::span<const float> normal_scores, double score);

/// The score above which (strictly) an image is a defect.
struct Threshold {
  double value = 0;
  /// A new normal exceeds it with probability at most the target. False: the log-t bound, an
  /// estimate, because n normals cannot certify the target (1 % needs 99, 5 % 19, 10 % 9).
  bool is_certified = false;
};

/// Fewer normals than this give no threshold: such scores can only rank.
inline constexpr std::int64_t kLeastForThreshold = 5;

/// k = ceil((1 - target)(n + 1)): the k-th smallest score where k <= n. Else the log-t bound: with
/// o = min S - sd(S) (divisor n) and u = ln(S - o), o + exp(mean u + t * sd(u) * sqrt(1 + 1/n)),
/// t the Student quantile of n - 1 degrees of freedom at 1 - target; sd(S) below 1e-6: max S + 0.1.
///
/// Errors   kInvalidArgument: target not in (0, 1). kNumeric: a score is not finite.
std::optional<Threshold> threshold_for(std::span<const float> normal_scores,
                                       double target_false_positive_rate);

/// The x that a Student t variable stays below with probability `probability`.
/// Accuracy 1e-9 relative for up to 10^4 degrees of freedom. Errors: kInvalidArgument.
/// Source   Abramowitz and Stegun, 26.7.3 and 26.7.4 (the finite series), inverted by bisection.
double student_quantile(double probability, std::int64_t degrees_of_freedom);

}  // namespace cadenza
