#pragma once

#include <cstdint>

namespace cadenza {

/// Bounds of an unknown share.
struct Interval {
  double low = 0, high = 1;
};

/// The regularised incomplete beta function I_x(a, b), for a, b > 0 and x in [0, 1]: the
/// probability that a beta variable is at most x. Relative accuracy about 1e-13 for a, b up to 1e6.
/// Source   continued fraction DLMF 8.17.22, evaluated by the modified Lentz algorithm.
double incomplete_beta(double x, double a, double b);

/// Clopper and Pearson's exact interval for a share of which `count` in `n` were seen: it covers
/// the truth with a probability of at least `confidence`, in (0, 1), whatever the truth.
/// Errors   kInvalidArgument unless n >= 1, 0 <= count <= n.
/// Source   Clopper and Pearson, Biometrika 26 (1934).
Interval clopper_pearson(std::int64_t count, std::int64_t n, double confidence = 0.95);

/// Wilson's interval: covers on average, and is shorter; for plots of many shares.
/// Errors   as clopper_pearson().
/// Source   Wilson, JASA 22 (1927).
Interval wilson(std::int64_t count, std::int64_t n, double confidence = 0.95);

}  // namespace cadenza
