#include "cadenza/metric/continual_scores.h"

#include <algorithm>

#include "cadenza/base/error.h"

namespace cadenza {
namespace {

/// Mean of what is defined.
class Mean {
 public:
  void add(std::optional<double> value) {
    if (!value) return;
    sum_ += *value;
    ++n_;
  }
  std::optional<double> value() const {
    if (n_ == 0) return std::nullopt;
    return sum_ / static_cast<double>(n_);
  }

 private:
  double sum_ = 0;
  std::int64_t n_ = 0;
};

std::optional<double> difference(std::optional<double> left, std::optional<double> right) {
  if (!left || !right) return std::nullopt;
  return *left - *right;
}

std::optional<double> larger(std::optional<double> left, std::optional<double> right) {
  if (!left || !right) return left ? left : right;
  return std::max(*left, *right);
}

}  // namespace

ContinualScores continual_scores(const MetricMatrix& matrix,
                                 std::span<const std::int64_t> learned_in,
                                 std::optional<double> chance) {
  const auto n_steps = std::ssize(matrix);
  const auto n_tasks = learned_in.size();
  CADENZA_REQUIRE(n_steps >= 1, ErrorCode::kInvalidArgument, "continual matrix: no steps");
  for (const auto& row : matrix) {
    CADENZA_REQUIRE(row.size() == n_tasks, ErrorCode::kInvalidArgument,
                    "continual matrix: a row has ", row.size(), " tasks, expected ", n_tasks);
  }
  const auto last = n_steps - 1;
  const auto at = [&](std::int64_t step, std::size_t task) {
    return matrix[static_cast<std::size_t>(step)][task];
  };

  ContinualScores scores;
  Mean final_mean, forgetting, inclusive, backward, forward;
  for (std::size_t task = 0; task < n_tasks; ++task) {
    const auto learned = learned_in[task];
    CADENZA_REQUIRE(0 <= learned && learned < n_steps, ErrorCode::kInvalidArgument,
                    "continual matrix: task ", task, " is learned in step ", learned, " of ",
                    n_steps);
    final_mean.add(at(last, task));
    if (chance && learned > 0) forward.add(difference(at(learned - 1, task), chance));
    if (learned == last) continue;
    std::optional<double> best;
    for (auto step = learned; step < last; ++step) best = larger(best, at(step, task));
    forgetting.add(difference(best, at(last, task)));
    inclusive.add(difference(larger(best, at(last, task)), at(last, task)));
    backward.add(difference(at(last, task), at(learned, task)));
  }
  scores.final_mean = final_mean.value();
  scores.forgetting = forgetting.value();
  scores.forgetting_inclusive = inclusive.value();
  scores.backward_transfer = backward.value();
  scores.forward_transfer = forward.value();

  Mean incremental, forgetting_iuf;
  std::optional<double> best;
  for (std::int64_t step = 0; step < n_steps; ++step) {
    Mean seen;
    for (std::size_t task = 0; task < n_tasks; ++task) {
      if (learned_in[task] <= step) seen.add(at(step, task));
    }
    incremental.add(seen.value());
    if (step > 0) forgetting_iuf.add(difference(best, seen.value()));
    best = larger(best, seen.value());
  }
  scores.average_incremental = incremental.value();
  scores.forgetting_iuf = forgetting_iuf.value();
  return scores;
}

}  // namespace cadenza
