#include "cadenza/metric/interval.h"

#include <array>
#include <cmath>

#include "tests/support/error_of.h"
#include <gtest/gtest.h>

namespace cadenza {
namespace {

/// P(X >= count) of the binomial law, term by term.
double at_least(std::int64_t count, std::int64_t n, double share) {
  double sum = 0;
  for (auto k = count; k <= n; ++k) {
    const auto a = double(k), b = double(n - k);
    sum += std::exp(std::lgamma(a + b + 1) - std::lgamma(a + 1) - std::lgamma(b + 1) +
                    a * std::log(share) + b * std::log1p(-share));
  }
  return sum;
}

TEST(IncompleteBeta, ClosedForms) {
  for (const double x : {0.0, 1e-9, 0.1, 0.5, 0.83, 1.0}) {
    EXPECT_NEAR(incomplete_beta(x, 1, 1), x, 1e-14);
    EXPECT_NEAR(incomplete_beta(x, 3, 1), x * x * x, 1e-14);
    EXPECT_NEAR(incomplete_beta(x, 1, 4), 1 - std::pow(1 - x, 4), 1e-14);
    EXPECT_NEAR(incomplete_beta(x, 0.5, 0.5), 2 / M_PI * std::asin(std::sqrt(x)), 1e-13);
    EXPECT_NEAR(incomplete_beta(x, 7.5, 2.25) + incomplete_beta(1 - x, 2.25, 7.5), 1, 1e-13);
  }
}

TEST(IncompleteBeta, IsTheBinomialTail) {
  for (const std::int64_t n : {1, 7, 60, 1000}) {
    for (std::int64_t count = 1; count <= n; count += 1 + n / 9) {
      for (const double share : {0.01, 0.3, 0.5, 0.97}) {
        EXPECT_NEAR(incomplete_beta(share, double(count), double(n - count + 1)),
                    at_least(count, n, share), 1e-11)
            << count << " of " << n << " at " << share;
      }
    }
  }
}

TEST(IncompleteBeta, RefusesWhatItIsNotDefinedFor) {
  for (const auto& [x, a, b] : {std::array{-0.1, 1.0, 1.0}, std::array{1.1, 1.0, 1.0},
                                std::array{0.5, 0.0, 1.0}, std::array{0.5, 1.0, -1.0}}) {
    EXPECT_EQ(error_of([&] { incomplete_beta(x, a, b); }).code(), ErrorCode::kInvalidArgument);
  }
}

// At each end exactly half of the missing confidence lies beyond, by the law itself.
TEST(ClopperPearson, LeavesTheTailsThatItPromises) {
  for (const std::int64_t n : {1, 2, 10, 137, 2000}) {
    for (std::int64_t count = 0; count <= n; count += 1 + n / 7) {
      for (const double confidence : {0.5, 0.95, 0.999}) {
        const auto interval = clopper_pearson(count, n, confidence);
        const auto tail = (1 - confidence) / 2;
        if (count > 0) {
          EXPECT_NEAR(at_least(count, n, interval.low), tail, 1e-10) << count << " of " << n;
        } else {
          EXPECT_EQ(interval.low, 0);
        }
        if (count < n) {
          EXPECT_NEAR(1 - at_least(count + 1, n, interval.high), tail, 1e-10)
              << count << " of " << n;
        } else {
          EXPECT_EQ(interval.high, 1);
        }
      }
    }
  }
}

// Closed forms at the ends; R's binom.test(5, 100) and binom.test(1, 20).
TEST(ClopperPearson, PublishedValues) {
  EXPECT_NEAR(clopper_pearson(0, 10).high, 1 - std::pow(0.025, 0.1), 1e-14);
  EXPECT_NEAR(clopper_pearson(7, 7).low, std::pow(0.025, 1.0 / 7), 1e-14);
  EXPECT_NEAR(clopper_pearson(5, 100).low, 0.01643, 5e-6);
  EXPECT_NEAR(clopper_pearson(5, 100).high, 0.11283, 5e-6);
  EXPECT_NEAR(clopper_pearson(1, 20).low, 0.00127, 5e-6);
  EXPECT_NEAR(clopper_pearson(1, 20).high, 0.24873, 5e-6);
}

TEST(ClopperPearson, LargeCountsApproachTheNormalLaw) {
  const auto interval = clopper_pearson(500'000, 1'000'000);
  EXPECT_NEAR(interval.low, 0.5 - 1.95996 * 0.0005, 2e-6);
  EXPECT_NEAR(interval.high, 0.5 + 1.95996 * 0.0005, 2e-6);
}

// The ends solve (share - p)^2 = z^2 p (1 - p) / n.
TEST(Wilson, EndsSolveTheirEquation) {
  constexpr double kZ = 1.959963984540054;  // 97.5 % point of the normal law
  for (const std::int64_t n : {1, 9, 400}) {
    for (std::int64_t count = 0; count <= n; count += 1 + n / 5) {
      const auto interval = wilson(count, n);
      const auto share = double(count) / double(n);
      for (const double p : {interval.low, interval.high}) {
        EXPECT_NEAR((share - p) * (share - p), kZ * kZ * p * (1 - p) / double(n), 1e-12)
            << count << " of " << n;
      }
      EXPECT_LE(interval.low, share);
      EXPECT_GE(interval.high, share);
    }
  }
}

TEST(Intervals, RefuseWhatIsNoShare) {
  for (const auto interval : {clopper_pearson, wilson}) {
    EXPECT_EQ(error_of([&] { interval(0, 0, 0.95); }).code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(error_of([&] { interval(3, 2, 0.95); }).code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(error_of([&] { interval(-1, 2, 0.95); }).code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(error_of([&] { interval(1, 2, 1); }).code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(error_of([&] { interval(1, 2, 0); }).code(), ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace cadenza
