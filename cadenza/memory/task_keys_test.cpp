#include "cadenza/memory/task_keys.h"

#include "tests/support/error_of.h"
#include "tests/support/random_tensor.h"
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cadenza {
namespace {

/// Pair by pair.
double by_definition(const at::Tensor& patches, const at::Tensor& keys, KeyDistance distance,
                     KeyPool pool) {
  double largest = 0, sum = 0;
  for (std::int64_t patch = 0; patch < patches.size(0); ++patch) {
    double nearest = 1e300;
    for (std::int64_t key = 0; key < keys.size(0); ++key) {
      const auto x = patches[patch].to(at::kDouble), k = keys[key].to(at::kDouble);
      const auto value = distance == KeyDistance::kSquared
                             ? (x - k).square().sum().item<double>()
                             : 1 - (x.dot(k) / (x.norm() * k.norm())).item<double>();
      nearest = std::min(nearest, value);
    }
    largest = std::max(largest, nearest);
    sum += nearest;
  }
  return pool == KeyPool::kMax ? largest : sum / static_cast<double>(patches.size(0));
}

TEST(TaskKeys, DistancesAreThoseOfTheDefinition) {
  for (const auto distance : {KeyDistance::kSquared, KeyDistance::kCosine}) {
    for (const auto pool : {KeyPool::kMax, KeyPool::kMean}) {
      TaskKeys keys(distance, pool);
      std::map<TaskId, at::Tensor> given;
      for (const TaskId task : {4, 0, 9}) {
        given[task] = random_tensor({3 + task, 6}, static_cast<std::uint64_t>(task));
        keys.set(task, given[task]);
      }
      const auto patches = random_tensor({2, 5, 6}, 77);
      const auto found = keys.distances(patches);
      EXPECT_THAT(keys.tasks(), testing::ElementsAre(4, 0, 9));
      for (std::int64_t image = 0; image < 2; ++image) {
        for (std::int64_t column = 0; column < 3; ++column) {
          const auto& own = given[keys.tasks()[static_cast<std::size_t>(column)]];
          EXPECT_NEAR(found[image][column].item<double>(),
                      by_definition(patches[image], own, distance, pool), 1e-5);
        }
      }
      const std::vector<TaskId> some = {9, 4};
      const auto fewer = keys.distances(patches, some);
      EXPECT_TRUE(at::allclose(fewer, found.index_select(1, at::tensor({2, 0})), 1e-6, 1e-6));
    }
  }
}

TEST(TaskKeys, AnImageIsNearestToTheTaskItsPatchesWereTakenFrom) {
  TaskKeys keys(KeyDistance::kSquared, KeyPool::kMax);
  for (const TaskId task : {0, 1, 2}) {
    keys.set(task, random_tensor({10, 8}, static_cast<std::uint64_t>(task)) +
                       3.0 * static_cast<double>(task));
  }
  const auto patches = random_tensor({10, 8}, 1).add(3).slice(0, 2, 7).unsqueeze(0);
  EXPECT_EQ(keys.distances(patches).argmin(1).item<int>(), 1);
  EXPECT_NEAR(keys.distances(patches)[0][1].item<double>(), 0, 1e-4);
}

TEST(TaskKeys, SettingATaskAgainReplacesItsKeys) {
  TaskKeys keys(KeyDistance::kSquared, KeyPool::kMean);
  keys.set(3, at::zeros({2, 4}));
  keys.set(3, at::ones({1, 4}));
  EXPECT_EQ(keys.tasks().size(), 1U);
  EXPECT_NEAR(keys.distances(at::ones({1, 2, 4})).item<double>(), 0, 1e-6);
}

TEST(TaskKeys, RefusesWhatDoesNotFit) {
  TaskKeys keys(KeyDistance::kSquared, KeyPool::kMax);
  const auto code = [](const auto& action) { return error_of(action).code(); };
  EXPECT_EQ(code([&] { keys.distances(at::zeros({1, 2, 4})); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code([&] { keys.set(0, at::zeros({0, 4})); }), ErrorCode::kInvalidArgument);
  keys.set(0, at::zeros({2, 4}));
  EXPECT_EQ(code([&] { keys.set(1, at::zeros({2, 5})); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code([&] { keys.distances(at::zeros({1, 2, 5})); }), ErrorCode::kInvalidArgument);
  const std::vector<TaskId> unknown = {7};
  EXPECT_EQ(code([&] { keys.distances(at::zeros({1, 2, 4}), unknown); }),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(code([] { parse_key_pool("median"); }), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cadenza
