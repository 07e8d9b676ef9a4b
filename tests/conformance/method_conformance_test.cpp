// The laws that every registered method keeps, on its `tiny` options and generated weights. A new
// folder under cadenza/method/ is covered without an edit here. Numbers are those of
// the architecture's list of laws.
#include <map>
#include <thread>

#include "tests/conformance/fake_stream.h"
#include "tests/conformance/subjects.h"
#include "tests/support/error_of.h"
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/inspector/state_file.h"

namespace cadenza {
namespace {

using testing::HasSubstr;

std::map<std::string, std::vector<std::byte>> bytes_of(const MethodState& state) {
  std::map<std::string, std::vector<std::byte>> all = {{"shared", write_state_file(state.shared)}};
  for (const auto& [id, piece] : state.tasks) all[cat("task ", id)] = write_state_file(piece);
  return all;
}

void expect_equal_scores(const ScoreBatch& left, const ScoreBatch& right) {
  const auto expect = [](const std::optional<at::Tensor>& a, const std::optional<at::Tensor>& b,
                         const char* what) {
    ASSERT_EQ(a.has_value(), b.has_value()) << what;
    if (a) {
      EXPECT_TRUE(at::equal(*a, *b)) << what;
    }
  };
  EXPECT_TRUE(at::equal(left.image_score, right.image_score));
  expect(left.anomaly_map, right.anomaly_map, "anomaly_map");
  expect(left.task, right.task, "task");
  expect(left.task_distance, right.task_distance, "task_distance");
}

class MethodLaws : public testing::TestWithParam<std::string> {
 protected:
  MethodLaws() : stream_(make_tiny(GetParam())->info().input) {}

  std::unique_ptr<Method> make() const { return make_tiny(GetParam()); }
  void train(Method& method, std::int64_t task, std::uint64_t seed = 1) const {
    method.train_task(*stream_.training(task), {.seed = seed});
  }
  std::unique_ptr<Method> trained(const std::vector<std::int64_t>& tasks) const {
    auto method = make();
    for (const auto task : tasks) train(*method, task);
    return method;
  }
  /// Learned the whole stream; made once a method, for laws that only score.
  const Method& veteran() const {
    static std::map<std::string, std::unique_ptr<Method>> all;
    auto& found = all[GetParam()];
    if (!found) found = trained({0, 1, 2});
    return *found;
  }
  at::Tensor some_images() const {
    return at::cat({stream_.normals(0).slice(0, 0, 2), stream_.defects(1).slice(0, 0, 2)});
  }
  ScoreBatch score(const Method& method, const at::Tensor& images,
                   std::vector<TaskId> candidates = {}) const {
    return method.score(images, {.candidates = candidates});
  }

  FakeStream stream_;
};

TEST_P(MethodLaws, Law0TheRegistryTellsTheTruth) {
  const auto method = make();
  EXPECT_EQ(method->info().name, subjects().find(GetParam()).info.name);
  EXPECT_TRUE(method->tasks().empty());
  EXPECT_FALSE(method->info().summary.empty());
  EXPECT_FALSE(method->info().source.empty());
  EXPECT_GE(method->info().min_images, 1);
  const auto& found = veteran();
  EXPECT_THAT(std::vector<TaskId>(found.tasks().begin(), found.tasks().end()),
              testing::ElementsAre(0, 1, 2));
  for (const auto task : found.tasks()) {
    const auto calibration = found.calibration(task);
    ASSERT_EQ(calibration.has_value(), found.info().calibrates);
    if (!calibration) continue;
    EXPECT_EQ(std::ssize(calibration->scores), FakeStream::kTrain);
    for (const auto value : calibration->scores) EXPECT_TRUE(std::isfinite(value));
  }
}

TEST_P(MethodLaws, Law1ScoringBeforeTrainingIsAnError) {
  const auto method = make();
  EXPECT_EQ(error_of([&] { score(*method, some_images()); }).code(), ErrorCode::kInvalidArgument);
}

TEST_P(MethodLaws, Law2AWrongShapeIsAnErrorThatNamesTheParameter) {
  const auto& input = veteran().info().input;
  const std::vector<std::vector<std::int64_t>> shapes = {
      {1, 4, input.height_px, input.width_px},
      {1, 3, input.height_px + 1, input.width_px},
      {1, 3, input.height_px, input.width_px + 1},
      {3, input.height_px, input.width_px}};
  for (const auto& shape : shapes) {
    const auto error = error_of([&] { score(veteran(), at::zeros(shape)); });
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << at::IntArrayRef(shape);
    EXPECT_THAT(error.what(), HasSubstr("images [B,3,"));
  }
  const auto unknown = error_of([&] { score(veteran(), some_images(), {99}); });
  EXPECT_EQ(unknown.code(), ErrorCode::kInvalidArgument);
}

TEST_P(MethodLaws, Law3LoadedMethodScoresTheSameBits) {
  const auto loaded = make();
  loaded->load(veteran().save());
  expect_equal_scores(score(veteran(), some_images()), score(*loaded, some_images()));
  EXPECT_TRUE(std::ranges::equal(veteran().tasks(), loaded->tasks()));
  for (const auto task : loaded->tasks()) {
    const auto before = veteran().calibration(task), after = loaded->calibration(task);
    ASSERT_EQ(before.has_value(), after.has_value());
    if (before) {
      EXPECT_EQ(before->scores, after->scores);
    }
  }
}

TEST_P(MethodLaws, Law4SavingAfterLoadGivesTheSameBytes) {
  const auto state = veteran().save();
  const auto loaded = make();
  loaded->load(state);
  EXPECT_EQ(bytes_of(state), bytes_of(loaded->save()));
}

TEST_P(MethodLaws, Law4AKeyThatNobodyReadsIsAnError) {
  const auto state = veteran().save();
  auto odd = state;
  odd.shared.tensors["nobody reads this"] = at::zeros({1});
  EXPECT_EQ(error_of([&] { make()->load(odd); }).code(), ErrorCode::kCorruptData);
  for (const auto& [id, piece] : state.tasks) {
    odd = state;
    odd.tasks[id].texts["nobody reads this"] = "";
    EXPECT_EQ(error_of([&] { make()->load(odd); }).code(), ErrorCode::kCorruptData) << id;
  }
  for (const auto& [key, tensor] : state.shared.tensors) {
    odd = state;
    odd.shared.tensors.erase(key);
    EXPECT_EQ(error_of([&] { make()->load(odd); }).code(), ErrorCode::kCorruptData) << key;
  }
}

TEST_P(MethodLaws, Law5AnImageScoresTheSameAloneAndInABatch) {
  const auto images = some_images();
  const auto together = score(veteran(), images);
  for (std::int64_t row = 0; row < images.size(0); ++row) {
    const auto alone = score(veteran(), images.slice(0, row, row + 1));
    const double scale = std::max(1.0, together.image_score.abs().max().item<double>());
    EXPECT_NEAR(alone.image_score.item<double>(), together.image_score[row].item<double>(),
                1e-5 * scale);
    if (together.task) {
      EXPECT_EQ(alone.task->item<int>(), (*together.task)[row].item<int>());
    }
    if (!together.anomaly_map) continue;
    const auto& map = (*together.anomaly_map)[row];
    const double map_scale = std::max(1.0, map.abs().max().item<double>());
    EXPECT_LT((alone.anomaly_map->squeeze(0) - map).abs().max().item<double>(), 1e-5 * map_scale);
  }
}

TEST_P(MethodLaws, Law6SameSeedSameStateBytes) {
  EXPECT_EQ(bytes_of(trained({0, 1})->save()), bytes_of(trained({0, 1})->save()));
}

TEST_P(MethodLaws, Law6PlaceInTheStreamIsNotInATasksState) {
  const auto forward = trained({0, 1}), backward = trained({1, 0});
  if (!forward->info().isolates_tasks) return;  // then earlier tasks may leave their marks
  const auto first = forward->save(), second = backward->save();
  for (const auto& [id, piece] : first.tasks) {
    EXPECT_EQ(write_state_file(piece), write_state_file(second.tasks.at(id))) << "task " << id;
  }
}

TEST_P(MethodLaws, Law7TwoThreadsScoreAlike) {
  const auto images = some_images();
  const auto expected = score(veteran(), images);
  std::vector<ScoreBatch> found(2);
  std::vector<std::thread> threads;
  for (auto& batch : found) {
    threads.emplace_back([&] { batch = score(veteran(), images); });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& batch : found) expect_equal_scores(expected, batch);
}

/// Asks for a stop when the training first looks at an image.
class StoppingData final : public TaskData {
 public:
  explicit StoppingData(const TaskData& data) : data_(data) {}
  std::span<const TaskRef> tasks() const noexcept override { return data_.tasks(); }
  std::int64_t size() const noexcept override { return data_.size(); }
  at::Tensor images(std::int64_t first, std::int64_t last) const override {
    looked_at(last - first);
    return data_.images(first, last);
  }
  at::Tensor pixels(std::int64_t first, std::int64_t last) const override {
    looked_at(last - first);
    return data_.pixels(first, last);
  }
  at::Tensor task(std::int64_t first, std::int64_t last) const override {
    return data_.task(first, last);
  }
  std::optional<at::Tensor> structure(std::int64_t first, std::int64_t last) const override {
    return data_.structure(first, last);
  }
  std::string_view digest(std::int64_t index) const override { return data_.digest(index); }

  mutable std::stop_source stop;
  mutable std::int64_t n_images = 0;

 private:
  void looked_at(std::int64_t n) const {
    stop.request_stop();
    n_images += n;
  }
  const TaskData& data_;
};

TEST_P(MethodLaws, Law8AStopEndsTraining) {
  const auto data = stream_.training(0);
  const StoppingData stopping(*data);
  const auto error = error_of(
      [&] { make()->train_task(stopping, {.seed = 1, .stop = stopping.stop.get_token()}); });
  EXPECT_EQ(error.code(), ErrorCode::kCancelled);
  EXPECT_LE(stopping.n_images, 2 * data->size());  // it did not go through its epochs
}

TEST_P(MethodLaws, Law9ScoresAreFiniteAndInShape) {
  const auto images = some_images();
  const auto found = score(veteran(), images);
  const auto n_images = images.size(0);
  EXPECT_EQ(found.image_score.sizes(), at::IntArrayRef({n_images}));
  EXPECT_EQ(found.image_score.scalar_type(), at::kFloat);
  EXPECT_TRUE(found.image_score.isfinite().all().item<bool>());
  EXPECT_EQ(found.anomaly_map.has_value(), veteran().info().makes_map);
  if (found.anomaly_map) {
    EXPECT_EQ(found.anomaly_map->dim(), 3);
    EXPECT_EQ(found.anomaly_map->size(0), n_images);
    EXPECT_TRUE(found.anomaly_map->is_contiguous());
    EXPECT_TRUE(found.anomaly_map->isfinite().all().item<bool>());
  }
  EXPECT_EQ(found.task.has_value(), veteran().info().picks_task);
  EXPECT_EQ(found.task_distance.has_value(), veteran().info().picks_task);
  if (!found.task) return;
  EXPECT_TRUE(((*found.task >= 0) & (*found.task < FakeStream::kTasks)).all().item<bool>());
  const auto told = score(veteran(), images, {2});
  EXPECT_TRUE((*told.task == 2).all().item<bool>());
}

TEST_P(MethodLaws, Law10FindsTheDefectsOfEveryTaskAfterTheLast) {
  const auto& info = veteran().info();
  if (!info.learns_from_scratch || !info.isolates_tasks) return;
  for (std::int64_t task = 0; task < FakeStream::kTasks; ++task) {
    const auto candidates = info.picks_task ? std::vector<TaskId>{} : std::vector<TaskId>{task};
    const auto normal = score(veteran(), stream_.normals(task), candidates).image_score;
    const auto defect = score(veteran(), stream_.defects(task), candidates).image_score;
    const auto won = defect.unsqueeze(1) - normal.unsqueeze(0);
    const double auroc = ((won > 0).to(at::kDouble) + 0.5 * (won == 0)).mean().item<double>();
    EXPECT_GT(auroc, 0.9) << "task " << task;
  }
}

TEST_P(MethodLaws, Law12AnotherTaskLeavesIsolatedScoresAlone) {
  const auto method = trained({0, 1});
  if (!method->info().isolates_tasks) return;
  const auto images = some_images();
  const auto state = bytes_of(method->save());
  const auto before = score(*method, images, {0});
  train(*method, 2);
  expect_equal_scores(before, score(*method, images, {0}));
  const auto after = bytes_of(method->save());
  for (const auto* task : {"task 0", "task 1"}) EXPECT_EQ(state.at(task), after.at(task)) << task;
}

TEST_P(MethodLaws, SeveralTasksInOneStepAreAllLearned) {
  const auto method = make();
  method->train_task(*stream_.training(std::vector<std::int64_t>{0, 1, 2}), {.seed = 1});
  EXPECT_EQ(method->tasks().size(), 3);
  const auto found = score(*method, some_images());
  EXPECT_TRUE(found.image_score.isfinite().all().item<bool>());
}

INSTANTIATE_TEST_SUITE_P(Every, MethodLaws, testing::ValuesIn(subjects().names()),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace cadenza
