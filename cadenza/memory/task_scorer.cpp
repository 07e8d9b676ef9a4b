// Scorers that keep something of every task and judge by the nearest.
#include <algorithm>
#include <limits>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/base/rng.h"
#include "cadenza/memory/embedding_scorer.h"

namespace cadenza {

namespace {

/// Keeps a `Kept` a task, each with the score of a typical normal.
template <class Kept>
class NearestTaskScorer : public EmbeddingScorer {
 public:
  EmbeddingScores score(const at::Tensor& embeddings,
                        std::span<const TaskId> candidates) const override {
    const auto rows = unit_rows(embeddings.to(at::kDouble));
    const auto n_rows = rows.size(0);
    at::Tensor best = at::full({n_rows}, std::numeric_limits<double>::infinity(), at::kDouble);
    at::Tensor task = at::zeros({n_rows}, at::kLong), typical = at::ones({n_rows}, at::kDouble);
    for (const auto& [id, kept] : kept_) {
      if (!candidates.empty() && std::ranges::find(candidates, id) == candidates.end()) continue;
      const auto found = kept.distances(rows);
      const auto is_nearer = found < best;
      best = at::where(is_nearer, found, best);
      task.masked_fill_(is_nearer, id);
      typical.masked_fill_(is_nearer, kept.typical);
    }
    return {.score = best, .task = task, .task_distance = best / typical};
  }
  bool picks_task() const noexcept override { return true; }

 protected:
  std::map<TaskId, Kept> kept_;
};

double typical_of(const at::Tensor& values) {
  return std::max(values.median().item<double>(), 1e-9);  // a distance is divided by it
}

struct KeptGaussian {
  at::Tensor mean, covariance;  // float32, as they are kept
  double typical = 1;
  GaussianDensity density;

  at::Tensor distances(const at::Tensor& rows) const {
    return (density.distances(rows).square() + 1e-4).sqrt();
  }
};

class TaskGaussianScorer final : public NearestTaskScorer<KeptGaussian> {
 public:
  void learn(std::span<const TaskEmbeddings> step, std::uint64_t) override {
    for (const auto& task : step) {
      const auto rows = unit_rows(task.rows.to(at::kDouble));
      const auto centred = rows - rows.mean(0);
      auto covariance =
          centred.t().matmul(centred) / double(std::max<std::int64_t>(rows.size(0) - 1, 1));
      covariance.diagonal().add_(kRidge);
      auto& kept = kept_[task.id];
      kept = fitted(rows.mean(0).to(at::kFloat), covariance.to(at::kFloat));
      kept.typical = typical_of(kept.distances(rows));
    }
  }

  void save(MethodState& state) const override {
    for (const auto& [id, kept] : kept_) {
      auto& piece = state.tasks[id];
      piece.tensors["mean"] = kept.mean;
      piece.tensors["covariance"] = kept.covariance;
      piece.tensors["typical"] = at::scalar_tensor(kept.typical, at::kDouble);
    }
  }
  void load(const StateReaders& state) override {
    kept_.clear();
    for (auto& [id, in] : state.tasks) {
      kept_[id] = fitted(in.tensor("mean"), in.tensor("covariance"));
      kept_[id].typical = in.tensor("typical").item<double>();
    }
  }

 private:
  static constexpr double kRidge = 0.01;
  static KeptGaussian fitted(const at::Tensor& mean, const at::Tensor& covariance) {
    return {.mean = mean, .covariance = covariance, .density = {mean, covariance, {}}};
  }
};

struct KeptRows {
  at::Tensor rows;  // [n,D] float32, unit length
  double typical = 1;

  at::Tensor distances(const at::Tensor& queries) const {
    return 1 - std::get<0>(queries.matmul(rows.to(at::kDouble).t()).max(1));
  }
};

class KnnScorer final : public NearestTaskScorer<KeptRows> {
 public:
  explicit KnnScorer(std::int64_t capacity) : capacity_(capacity) {}

  void learn(std::span<const TaskEmbeddings> step, std::uint64_t seed) override {
    for (const auto& task : step) {
      const auto rows = unit_rows(task.rows.to(at::kDouble)).to(at::kFloat);
      Rng rng(seed, cat("knn memory ", task.name));
      const auto chosen = rng.sample_sorted(rows.size(0), capacity_);
      auto& kept = kept_[task.id];
      kept.rows = rows.index_select(0, at::tensor(chosen, at::kLong));
      kept.typical = typical(kept.rows);
    }
  }

  void save(MethodState& state) const override {
    for (const auto& [id, kept] : kept_) {
      auto& piece = state.tasks[id];
      piece.tensors["memory"] = kept.rows;
      piece.tensors["typical"] = at::scalar_tensor(kept.typical, at::kDouble);
    }
  }
  void load(const StateReaders& state) override {
    kept_.clear();
    for (auto& [id, in] : state.tasks) {
      kept_[id].rows = in.tensor("memory");
      kept_[id].typical = in.tensor("typical").item<double>();
    }
  }

 private:
  /// Median distance of a kept row to the others.
  static double typical(const at::Tensor& rows) {
    if (rows.size(0) < 2) return 1;
    auto cosines = rows.to(at::kDouble).matmul(rows.to(at::kDouble).t());
    cosines.fill_diagonal_(-1);
    return typical_of(1 - std::get<0>(cosines.max(1)));
  }

  std::int64_t capacity_;
};

}  // namespace

std::unique_ptr<EmbeddingScorer> make_task_gaussian_scorer() {
  return std::make_unique<TaskGaussianScorer>();
}

std::unique_ptr<EmbeddingScorer> make_knn_scorer(std::int64_t capacity) {
  return std::make_unique<KnnScorer>(capacity);
}

}  // namespace cadenza
