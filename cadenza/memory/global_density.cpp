#include "cadenza/memory/global_density.h"

#include <cmath>
#include <vector>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"

namespace cadenza {

namespace {

at::Tensor draws_of(const TaskStatistics& task, const ReplayRule& replay,
                    const NormalSource& normals) {
  const auto n_draws = static_cast<std::int64_t>(double(task.n_images) * (1 - replay.noise_ratio));
  const auto n_noise = static_cast<std::int64_t>(double(task.n_images) * replay.noise_ratio);
  const auto n_dimensions = task.mean.size(0);
  const at::Tensor root = task.root.defined() ? task.root : root_of(task.covariance, replay);
  const at::Tensor drawn = task.mean + normals(n_draws, n_dimensions).matmul(root);
  if (n_noise == 0) return drawn;
  return at::cat({drawn, normals(n_noise, n_dimensions)});
}

/// Mean and covariance of the mixture, exactly, shrunk as Ledoit-Wolf would shrink that many rows.
ShrunkCovariance mixture_moments(std::span<const TaskStatistics> tasks) {
  double n_all = 0;
  at::Tensor mean = at::zeros_like(tasks.front().mean);
  for (const auto& task : tasks) {
    mean += task.mean * double(task.n_images);
    n_all += double(task.n_images);
  }
  mean /= n_all;
  at::Tensor covariance = at::zeros_like(tasks.front().covariance);
  double shrinkage = 0;
  for (const auto& task : tasks) {
    const at::Tensor shift = task.mean - mean;
    const double share = double(task.n_images) / n_all;
    covariance += share * (task.covariance + at::outer(shift, shift));
    shrinkage += share * task.shrinkage * double(task.n_images) / n_all;
  }
  const double mu = covariance.trace().item<double>() / double(covariance.size(0));
  covariance = (1 - shrinkage) * covariance;
  covariance.diagonal().add_(shrinkage * mu);
  return {mean, covariance, shrinkage, static_cast<std::int64_t>(n_all)};
}

}  // namespace

at::Tensor root_of(const at::Tensor& covariance, const ReplayRule& rule) {
  return rule.root == ReplayRule::Root::kSingular ? singular_root(covariance)
                                                  : symmetric_root(covariance);
}

TaskStatistics task_statistics(const at::Tensor& embeddings, std::int64_t n_images) {
  const auto law = ledoit_wolf(unit_rows(embeddings.to(at::kDouble)));
  return {law.mean, law.covariance, law.shrinkage, n_images};
}

ShrunkCovariance global_law(std::span<const TaskStatistics> earlier, const at::Tensor& current,
                            const ReplayRule& replay, const NormalSource& normals) {
  if (replay.root == ReplayRule::Root::kMoments) {
    std::vector<TaskStatistics> all(earlier.begin(), earlier.end());
    all.push_back(task_statistics(current, current.size(0)));
    return mixture_moments(all);
  }
  std::vector<at::Tensor> rows;
  for (const auto& task : earlier) rows.push_back(draws_of(task, replay, normals));
  rows.push_back(unit_rows(current.to(at::kDouble)));
  return ledoit_wolf(unit_rows(at::cat(rows)));
}

GlobalDensity global_density(std::span<const TaskStatistics> earlier, const at::Tensor& current,
                             const ReplayRule& replay, PrecisionRule precision,
                             const NormalSource& normals) {
  auto law = global_law(earlier, current, replay, normals);
  GaussianDensity density(law.mean, law.covariance, precision);
  return {std::move(law), std::move(density)};
}

}  // namespace cadenza
