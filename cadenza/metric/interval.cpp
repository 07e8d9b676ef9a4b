#include "cadenza/metric/interval.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "cadenza/base/error.h"

namespace cadenza {
namespace {

/// The continued fraction of DLMF 8.17.22; converges fast for x < (a + 1) / (a + b + 2).
double beta_fraction(double x, double a, double b) {
  constexpr int kMaxTerms = 100000;
  constexpr double kTiny = 1e-300;
  const auto away_from_zero = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double ratio_up = 1;
  double ratio_down = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
  double value = ratio_down;
  for (int term = 1; term <= kMaxTerms; ++term) {
    const double m = term;
    const auto even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    const auto odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    double change = 1;
    for (const auto coefficient : {even, odd}) {
      ratio_down = 1 / away_from_zero(1 + coefficient * ratio_down);
      ratio_up = away_from_zero(1 + coefficient / ratio_up);
      change = ratio_down * ratio_up;
      value *= change;
    }
    if (std::abs(change - 1) < std::numeric_limits<double>::epsilon()) break;
  }
  return value;
}

void require_share(std::int64_t count, std::int64_t n, double confidence) {
  CADENZA_REQUIRE(n >= 1 && 0 <= count && count <= n, ErrorCode::kInvalidArgument,
                  "interval of a share: expected 0 <= count <= n and n >= 1, found ", count, " of ",
                  n);
  CADENZA_REQUIRE(confidence > 0 && confidence < 1, ErrorCode::kInvalidArgument,
                  "interval of a share: expected a confidence within (0, 1), found ", confidence);
}

/// Where a rising function on [low, high] reaches `target`, to the last bit.
template <class Function>
double solve(const Function& rising, double target, double low, double high) {
  for (int halving = 0; halving < 200; ++halving) {
    const auto middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    (rising(middle) < target ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

double incomplete_beta(double x, double a, double b) {
  CADENZA_REQUIRE(a > 0 && b > 0 && x >= 0 && x <= 1, ErrorCode::kInvalidArgument,
                  "incomplete beta: expected a, b > 0 and x in [0, 1], found a = ", a, ", b = ", b,
                  ", x = ", x);
  if (x == 0 || x == 1) return x;
  // lgamma() writes a global, but its value does not depend on it.
  const auto log_beta = std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b);
  const auto front = std::exp(a * std::log(x) + b * std::log1p(-x) - log_beta);
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(x, a, b) / a;
  return 1 - front * beta_fraction(1 - x, b, a) / b;
}

Interval clopper_pearson(std::int64_t count, std::int64_t n, double confidence) {
  require_share(count, n, confidence);
  const auto tail = (1 - confidence) / 2;
  const auto seen = static_cast<double>(count), missed = static_cast<double>(n - count);
  // P(X >= count | p) = I_p(count, n - count + 1), and P(X <= count | p) = 1 - I_p(count + 1, n -
  // count).
  const auto at_least = [&](double share) { return incomplete_beta(share, seen, missed + 1); };
  const auto more = [&](double share) { return incomplete_beta(share, seen + 1, missed); };
  return {.low = count == 0 ? 0.0 : solve(at_least, tail, 0, 1),
          .high = count == n ? 1.0 : solve(more, 1 - tail, 0, 1)};
}

Interval wilson(std::int64_t count, std::int64_t n, double confidence) {
  require_share(count, n, confidence);
  const auto normal_cdf = [](double z) { return std::erfc(-z / std::numbers::sqrt2) / 2; };
  const auto z = solve(normal_cdf, (1 + confidence) / 2, 0, 40);
  const auto trials = static_cast<double>(n), share = static_cast<double>(count) / trials;
  const auto centre = share + z * z / (2 * trials);
  const auto half = z * std::sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials));
  const auto scale = 1 + z * z / trials;
  return {.low = count == 0 ? 0.0 : std::max((centre - half) / scale, 0.0),
          .high = count == n ? 1.0 : std::min((centre + half) / scale, 1.0)};
}

}  // namespace cadenza
