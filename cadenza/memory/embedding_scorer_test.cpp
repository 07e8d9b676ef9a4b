#include "cadenza/memory/embedding_scorer.h"

#include "tests/support/error_of.h"
#include "tests/support/random_tensor.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace cadenza {
namespace {

at::Tensor matrix(std::vector<double> values, std::int64_t n_columns) {
  return at::tensor(values, at::kDouble).view({-1, n_columns}).clone();
}

void expect_near(const at::Tensor& found, const std::vector<double>& wanted, double tolerance) {
  ASSERT_EQ(found.numel(), std::ssize(wanted));
  for (std::size_t at = 0; at < wanted.size(); ++at) {
    EXPECT_NEAR(found[std::int64_t(at)].item<double>(), wanted[at], tolerance) << at;
  }
}

// dne_cl specification, TV-9.
TEST(KnnScorer, GivesThePublishedDistances) {
  const auto scorer = make_knn_scorer(2000);
  scorer->learn(std::vector<TaskEmbeddings>{{0, "a", matrix({1, 0, 0, .6, .8, 0, 0, .6, .8}, 3)}},
                0);
  const auto found = scorer->score(matrix({2, 0, 0, 1, 1, 1, 0, 0, 3}, 3), {});
  expect_near(found.score, {0, .19170962, .2}, 1e-7);
}

// dne_cl specification, TV-9.
TEST(TaskGaussianScorer, GivesThePublishedDistance) {
  const auto scorer = make_task_gaussian_scorer();
  scorer->learn(
      std::vector<TaskEmbeddings>{{0, "a", matrix({1, 0, 0, .9, .1, 0, .8, 0, .2, 1, .2, .1}, 3)}},
      0);
  expect_near(scorer->score(matrix({1, 1, 1}, 3), {}).score, {6.302302285272}, 1e-5);
}

at::Tensor cluster(std::int64_t which, std::int64_t n_rows) {
  const auto noise = random_tensor({n_rows, 8}, 17 + which).to(at::kDouble);
  at::Tensor centre = at::zeros({8}, at::kDouble);
  centre[which] = 6;
  return centre + noise * 0.3;
}

TEST(DneScorer, WithOneTaskIsThePlainGaussian) {
  const auto rows = cluster(0, 40), queries = cluster(1, 9);
  const auto dne = make_dne_scorer({}), plain = make_current_gaussian_scorer({});
  for (auto* const scorer : {dne.get(), plain.get()}) {
    scorer->learn(std::vector<TaskEmbeddings>{{0, "a", rows}}, 1);
  }
  EXPECT_LT(
      (dne->score(queries, {}).score - plain->score(queries, {}).score).abs().max().item<double>(),
      1e-4);
}

TEST(DneScorer, RemembersEarlierTasksWhereTheCurrentGaussianForgets) {
  const auto dne = make_dne_scorer({}), plain = make_current_gaussian_scorer({});
  for (auto* const scorer : {dne.get(), plain.get()}) {
    for (TaskId id = 0; id < 3; ++id) {
      scorer->learn(
          std::vector<TaskEmbeddings>{{id, std::string(1, char('a' + id)), cluster(id, 60)}}, 1);
    }
  }
  const auto mean = [](const EmbeddingScorer& scorer, const at::Tensor& rows) {
    return scorer.score(rows, {}).score.mean().item<double>();
  };
  const auto first = cluster(0, 30), last = cluster(2, 30), odd = cluster(5, 30);
  EXPECT_LT(mean(*dne, first), 2 * mean(*dne, last));
  EXPECT_GT(mean(*dne, odd), 2 * mean(*dne, first));
  EXPECT_GT(mean(*plain, first), 5 * mean(*plain, last));
}

TEST(NearestTask, PicksTheTaskAmongTheCandidates) {
  for (const auto& scorer : {make_knn_scorer(20), make_task_gaussian_scorer()}) {
    for (TaskId id = 0; id < 3; ++id) {
      scorer->learn(std::vector<TaskEmbeddings>{{id, "task", cluster(id, 30)}}, 1);
    }
    const auto found = scorer->score(cluster(1, 10), {});
    EXPECT_TRUE((*found.task == 1).all().item<bool>());
    EXPECT_LT(found.task_distance->mean().item<double>(), 3);
    const std::vector<TaskId> others = {0, 2};
    EXPECT_TRUE((*scorer->score(cluster(1, 10), others).task != 1).all().item<bool>());
  }
}

TEST(Scorers, GoOnAfterLoadWithTheSameBits) {
  const auto make = [](int which) {
    return which == 0   ? make_dne_scorer({.n_draws = 2})
           : which == 1 ? make_current_gaussian_scorer({.relative_cut = 0})
           : which == 2 ? make_task_gaussian_scorer()
                        : make_knn_scorer(10);
  };
  for (int which = 0; which < 4; ++which) {
    const auto whole = make(which), loaded = make(which);
    const auto learn = [](EmbeddingScorer& scorer, TaskId id) {
      scorer.learn(std::vector<TaskEmbeddings>{{id, "task", cluster(id, 30)}}, 1);
    };
    learn(*whole, 0);
    learn(*whole, 1);
    MethodState state;
    whole->save(state);
    PieceReader shared(state.shared, "shared");
    std::map<TaskId, PieceReader> tasks;
    for (const auto& [id, piece] : state.tasks) tasks.emplace(id, PieceReader(piece, "task"));
    loaded->load({shared, tasks});
    shared.finish();
    for (const auto& [id, reader] : tasks) reader.finish();
    const auto queries = cluster(1, 12);
    EXPECT_TRUE(at::equal(whole->score(queries, {}).score, loaded->score(queries, {}).score));
    learn(*whole, 2);
    learn(*loaded, 2);
    EXPECT_TRUE(at::equal(whole->score(queries, {}).score, loaded->score(queries, {}).score));
  }
}

TEST(Scorers, TellWhenNothingWasLearned) {
  const auto error = error_of([] { make_dne_scorer({})->score(at::zeros({1, 4}), {}); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cadenza
