// Scorers that judge by one Gaussian for all tasks.
#include <algorithm>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/base/rng.h"
#include "cadenza/memory/embedding_scorer.h"

namespace cadenza {

namespace {

/// Float32 is what is kept; whoever goes on without a stop computes with the same numbers.
at::Tensor as_kept(const at::Tensor& values) { return values.to(at::kFloat).to(at::kDouble); }

at::Tensor rows_of(std::span<const TaskEmbeddings> step) {
  std::vector<at::Tensor> rows;
  for (const auto& task : step) rows.push_back(task.rows.to(at::kDouble));
  return at::cat(rows);
}

/// Fitted densities and what is needed to fit them again after a load.
class Densities {
 public:
  explicit Densities(double relative_cut) : relative_cut_(relative_cut) {}

  void clear() { laws_.clear(), densities_.clear(); }
  void add(const ShrunkCovariance& law) {
    laws_.push_back({as_kept(law.mean), as_kept(law.covariance), law.shrinkage, law.n_rows});
    const auto& kept = laws_.back();
    densities_.emplace_back(kept.mean, kept.covariance, rule(kept.mean.size(0)));
  }

  at::Tensor distances(const at::Tensor& embeddings) const {
    CADENZA_REQUIRE(!densities_.empty(), ErrorCode::kInvalidArgument, "no task was learned yet");
    const auto rows = unit_rows(embeddings.to(at::kDouble));
    at::Tensor sum = at::zeros({rows.size(0)}, at::kDouble);
    for (const auto& density : densities_) sum += density.distances(rows);
    return sum / double(densities_.size());
  }

  std::string remark() const {
    if (densities_.empty()) return {};
    return cat("the density keeps ", densities_.front().rank(), " of ", laws_.front().mean.size(0),
               " directions, shrinkage ", laws_.front().shrinkage);
  }

  void save(StatePiece& piece) const {
    for (std::size_t index = 0; index < laws_.size(); ++index) {
      piece.tensors[cat("scorer.", index, ".mean")] = laws_[index].mean.to(at::kFloat);
      piece.tensors[cat("scorer.", index, ".covariance")] = laws_[index].covariance.to(at::kFloat);
      piece.tensors[cat("scorer.", index, ".shrinkage")] =
          at::scalar_tensor(laws_[index].shrinkage, at::kDouble);
    }
  }
  void load(PieceReader& in) {
    clear();
    for (std::size_t index = 0; index == 0 || in.has_tensor(cat("scorer.", index, ".mean"));
         ++index) {
      const auto mean = in.tensor(cat("scorer.", index, ".mean"));
      const auto covariance = in.tensor(cat("scorer.", index, ".covariance"));
      add({mean.to(at::kDouble), covariance.to(at::kDouble),
           in.tensor(cat("scorer.", index, ".shrinkage")).item<double>(), 0});
    }
  }

 private:
  PrecisionRule rule(std::int64_t n_dimensions) const {
    if (relative_cut_ < 0) return PrecisionRule::f32_pinv(n_dimensions);
    return {.relative_cut = relative_cut_};
  }

  double relative_cut_;
  std::vector<ShrunkCovariance> laws_;
  std::vector<GaussianDensity> densities_;
};

class DneScorer final : public EmbeddingScorer {
 public:
  explicit DneScorer(const DensityRule& rule) : rule_(rule), densities_(rule.relative_cut) {}

  void learn(std::span<const TaskEmbeddings> step, std::uint64_t seed) override {
    std::string step_name;
    for (const auto& task : step) {
      step_name += "/" + task.name;
      std::erase_if(kept_, [&](const Kept& kept) { return kept.id == task.id; });
    }
    std::vector<TaskStatistics> earlier;
    for (const auto& kept : kept_) earlier.push_back(kept.statistics);
    const auto current = rows_of(step);
    densities_.clear();
    for (std::int64_t draw = 0; draw < rule_.n_draws; ++draw) {
      Rng rng(seed, cat("dne draw ", draw, step_name));
      densities_.add(global_law(earlier, current, rule_.replay, normals(rng)));
    }
    for (const auto& task : step) {
      auto statistics = task_statistics(task.rows, task.rows.size(0));
      statistics.mean = as_kept(statistics.mean);
      statistics.covariance = as_kept(statistics.covariance);
      kept_.push_back({task.id, with_root(std::move(statistics))});
    }
  }

  EmbeddingScores score(const at::Tensor& embeddings, std::span<const TaskId>) const override {
    return {.score = densities_.distances(embeddings)};
  }
  bool picks_task() const noexcept override { return false; }
  std::string remark() const override { return densities_.remark(); }

  void save(MethodState& state) const override {
    densities_.save(state.shared);
    auto order = at::empty({std::ssize(kept_)}, at::kLong);
    for (std::size_t index = 0; index < kept_.size(); ++index) {
      const auto& [id, statistics] = kept_[index];
      order[std::int64_t(index)] = id;
      auto& piece = state.tasks[id];
      piece.tensors["mean"] = statistics.mean.to(at::kFloat);
      piece.tensors["covariance"] = statistics.covariance.to(at::kFloat);
      piece.tensors["shrinkage"] = at::scalar_tensor(statistics.shrinkage, at::kDouble);
      piece.tensors["images"] = at::scalar_tensor(statistics.n_images, at::kLong);
    }
    state.shared.tensors["scorer.order"] = order;
  }

  void load(const StateReaders& state) override {
    densities_.load(state.shared);
    kept_.clear();
    const auto order = state.shared.tensor("scorer.order");
    for (std::int64_t index = 0; index < order.numel(); ++index) {
      const auto id = order[index].item<std::int64_t>();
      CADENZA_REQUIRE(state.tasks.contains(id), ErrorCode::kCorruptData,
                      "state: no piece for task ", id, ", which 'scorer.order' names");
      auto& in = state.tasks.at(id);
      TaskStatistics statistics{.mean = in.tensor("mean").to(at::kDouble),
                                .covariance = in.tensor("covariance").to(at::kDouble),
                                .shrinkage = in.tensor("shrinkage").item<double>(),
                                .n_images = in.tensor("images").item<std::int64_t>()};
      kept_.push_back({id, std::move(statistics)});  // its root is computed when it is needed
    }
  }

 private:
  struct Kept {
    TaskId id;
    TaskStatistics statistics;
  };

  TaskStatistics with_root(TaskStatistics statistics) const {
    statistics.root = root_of(statistics.covariance, rule_.replay);
    return statistics;
  }

  static NormalSource normals(Rng& rng) {
    return [&rng](std::int64_t n, std::int64_t n_dimensions) {
      at::Tensor drawn = at::empty({n, n_dimensions}, at::kDouble);
      auto* value = drawn.mutable_data_ptr<double>();
      for (std::int64_t at = 0; at < drawn.numel(); ++at) value[at] = rng.normal();
      return drawn;
    };
  }

  DensityRule rule_;
  Densities densities_;
  std::vector<Kept> kept_;  // in the order they were learned
};

class CurrentGaussianScorer final : public EmbeddingScorer {
 public:
  explicit CurrentGaussianScorer(const DensityRule& rule) : densities_(rule.relative_cut) {}

  void learn(std::span<const TaskEmbeddings> step, std::uint64_t) override {
    densities_.clear();
    densities_.add(ledoit_wolf(unit_rows(rows_of(step))));
  }
  EmbeddingScores score(const at::Tensor& embeddings, std::span<const TaskId>) const override {
    return {.score = densities_.distances(embeddings)};
  }
  bool picks_task() const noexcept override { return false; }
  std::string remark() const override { return densities_.remark(); }
  void save(MethodState& state) const override { densities_.save(state.shared); }
  void load(const StateReaders& state) override { densities_.load(state.shared); }

 private:
  Densities densities_;
};

}  // namespace

std::unique_ptr<EmbeddingScorer> make_dne_scorer(const DensityRule& rule) {
  return std::make_unique<DneScorer>(rule);
}

std::unique_ptr<EmbeddingScorer> make_current_gaussian_scorer(const DensityRule& rule) {
  return std::make_unique<CurrentGaussianScorer>(rule);
}

}  // namespace cadenza
