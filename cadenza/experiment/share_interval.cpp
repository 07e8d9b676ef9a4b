#include "cadenza/experiment/share_interval.h"

#include <cmath>

#include "cadenza/base/error.h"

namespace cadenza {
namespace {

/// P(X <= count) for X of the binomial law with n trials of probability `share` in (0, 1).
double binomial_at_most(std::int64_t count, std::int64_t n, double share) {
  double sum = 0;
  for (std::int64_t k = 0; k <= count; ++k) {
    const auto a = static_cast<double>(k), b = static_cast<double>(n - k);
    sum += std::exp(std::lgamma(a + b + 1) - std::lgamma(a + 1) - std::lgamma(b + 1) +
                    a * std::log(share) + b * std::log1p(-share));
  }
  return sum;
}

/// The share at which P(X <= count) falls to `target`: it falls as the share grows.
double share_where(std::int64_t count, std::int64_t n, double target) {
  double low = 0, high = 1;
  for (int halving = 0; halving < 60; ++halving) {
    const double middle = (low + high) / 2;
    (binomial_at_most(count, n, middle) > target ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

std::array<double, 2> share_interval(std::int64_t count, std::int64_t n) {
  CADENZA_REQUIRE(n >= 1 && 0 <= count && count <= n, ErrorCode::kInvalidArgument,
                  "interval of a share: ", count, " of ", n);
  constexpr double kTail = 0.025;
  return {count == 0 ? 0.0 : share_where(count - 1, n, 1 - kTail),
          count == n ? 1.0 : share_where(count, n, kTail)};
}

}  // namespace cadenza
