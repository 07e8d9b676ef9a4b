#include "cadenza/memory/conformal.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "cadenza/base/error.h"

namespace cadenza {
namespace {

struct Moments {
  double mean = 0;
  double sum_of_squares = 0;  ///< around the mean
};

Moments moments_of(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  Moments moments;
  for (const double value : values) moments.mean += value / n;
  for (const double value : values) {
    moments.sum_of_squares += (value - moments.mean) * (value - moments.mean);
  }
  return moments;
}

double log_t_bound(std::span<const double> sorted, double target) {
  const auto n = static_cast<double>(sorted.size());
  const double deviation = std::sqrt(moments_of(sorted).sum_of_squares / n);
  if (deviation < 1e-6) return sorted.back() + 0.1;
  // Scores are skewed to the right: their logarithms above an origin are taken for normal.
  const double origin = sorted.front() - deviation;
  std::vector<double> logs;
  for (const double score : sorted) logs.push_back(std::log(score - origin));
  const Moments moments = moments_of(logs);
  const double quantile =
      student_quantile(1 - target, static_cast<std::int64_t>(sorted.size()) - 1);
  return origin + std::exp(moments.mean + quantile * std::sqrt(moments.sum_of_squares / (n - 1)) *
                                              std::sqrt(1 + 1 / n));
}

/// P(|T| <= sqrt(nu) tan(angle)), 0 <= angle < pi / 2.
double student_within(double angle, std::int64_t nu) {
  const double cosine = std::cos(angle), sine = std::sin(angle);
  double sum = 0;
  if (nu % 2 == 0) {  // sin (1 + 1/2 cos^2 + (1 3)/(2 4) cos^4 + ...)
    double term = 1;
    for (std::int64_t k = 0; k <= nu - 2; k += 2) {
      sum += term;
      term *= cosine * cosine * static_cast<double>(k + 1) / static_cast<double>(k + 2);
    }
    return sine * sum;
  }
  double term = cosine;  // 2/pi (angle + sin (cos + 2/3 cos^3 + (2 4)/(3 5) cos^5 + ...))
  for (std::int64_t k = 1; k <= nu - 2; k += 2) {
    sum += term;
    term *= cosine * cosine * static_cast<double>(k + 1) / static_cast<double>(k + 2);
  }
  return 2 / std::numbers::pi * (angle + sine * sum);
}

}  // namespace

double p_value(std::span<const float> normal_scores, double score) {
  const auto n_higher = std::count_if(normal_scores.begin(), normal_scores.end(),
                                      [&](float normal) { return double{normal} >= score; });
  return (1.0 + static_cast<double>(n_higher)) / (static_cast<double>(normal_scores.size()) + 1.0);
}

std::optional<Threshold> threshold_for(std::span<const float> normal_scores, double target) {
  CADENZA_REQUIRE(target > 0 && target < 1, ErrorCode::kInvalidArgument,
                  "target false positive rate ", target, ": expected a number between 0 and 1");
  const auto n = static_cast<std::int64_t>(normal_scores.size());
  if (n < kLeastForThreshold) return std::nullopt;
  std::vector<double> sorted(normal_scores.begin(), normal_scores.end());
  CADENZA_REQUIRE(
      std::all_of(sorted.begin(), sorted.end(), [](double s) { return std::isfinite(s); }),
      ErrorCode::kNumeric, "a calibration score is not finite");
  std::sort(sorted.begin(), sorted.end());
  // (1 - 0.05) * 20 is 19 only on paper: what is within rounding of a whole number is that number.
  const double exact = (1 - target) * static_cast<double>(n + 1);
  const auto rank = static_cast<std::int64_t>(std::ceil(exact - 1e-9));
  if (rank <= n) {
    return Threshold{sorted[static_cast<std::size_t>(std::max<std::int64_t>(rank, 1) - 1)], true};
  }
  return Threshold{log_t_bound(sorted, target), false};
}

double student_quantile(double probability, std::int64_t nu) {
  CADENZA_REQUIRE(probability > 0 && probability < 1 && nu >= 1, ErrorCode::kInvalidArgument,
                  "Student quantile at ", probability, " with ", nu,
                  " degrees of freedom: expected a probability between 0 and 1, and 1 or more");
  const double within = std::abs(2 * probability - 1);
  double low = 0, high = std::numbers::pi / 2;
  for (int step = 0; step < 100; ++step) {
    const double middle = (low + high) / 2;
    (student_within(middle, nu) < within ? low : high) = middle;
  }
  const double quantile = std::sqrt(static_cast<double>(nu)) * std::tan(low);
  return probability < 0.5 ? -quantile : quantile;
}

}  // namespace cadenza
