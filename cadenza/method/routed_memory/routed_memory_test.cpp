#include "cadenza/method/routed_memory/routed_memory.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/support/error_of.h"
#include "tests/support/memory_task_data.h"
#include "tests/support/random_tensor.h"
#include "tests/support/temporary_folder.h"
#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "cadenza/base/file.h"
#include "cadenza/base/progress.h"
#include "cadenza/checkpoint/safetensors.h"
#include "cadenza/memory/conformal.h"
#include "cadenza/method/registry.h"
#include "cadenza/network/registry.h"
#include "cadenza/network/weights.h"

namespace cadenza::routed_memory {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;

/// Keeps what a user would be warned of.
class Warnings final : public Progress {
 public:
  void warn(std::string_view message) override {
    const std::lock_guard lock(mutex_);
    all.emplace_back(message);
  }
  std::vector<std::string> all;

 private:
  std::mutex mutex_;
};

std::unique_ptr<Method> tiny(OptionTexts options = {}) {
  const auto methods = builtin_methods();
  for (const auto& option : methods.find("routed_memory").tiny) options.insert(option);
  return methods.make("routed_memory", options, {});
}

/// Noise about a colour that the seed picks.
at::Tensor photos(std::int64_t n, std::uint64_t seed) {
  const auto colour = random_tensor({1, 1, 1, 3}, seed + 1000) * 40 + 128;
  return (random_tensor({n, 32, 32, 3}, seed) * 25 + colour).clamp(0, 255).to(at::kByte);
}

MemoryTaskData task_of(const at::Tensor& pixels, TaskId id = 0) {
  return {{.id = id, .name = std::string(1, static_cast<char>('a' + id))}, pixels};
}

/// Learns one product and returns its piece; warnings go to `warnings`.
StatePiece learned(const at::Tensor& pixels, const OptionTexts& options = {},
                   Warnings* warnings = nullptr) {
  const auto method = tiny(options);
  Warnings unheard;
  TrainContext context;
  context.progress = warnings ? warnings : &unheard;
  method->train_task(task_of(pixels), context);
  return method->save().tasks.at(0);
}

// Specification, section 10.

TEST(RoutedMemoryFewImages, OneImageRanksButSetsNoThreshold) {
  Warnings warnings;
  const auto piece = learned(photos(1, 1), {}, &warnings);
  EXPECT_EQ(piece.tensors.at("scores").numel(), 0);
  EXPECT_EQ(piece.tensors.at("typical_distance").item<double>(), 0.55);
  EXPECT_EQ(piece.texts.at("status"), "uncalibrated");
  EXPECT_EQ(piece.tensors.at("norm.1").select(0, 0).item<double>(), .71);  // the prior
  EXPECT_THAT(warnings.all, Contains(HasSubstr("no threshold; teach at least 5")));
}

TEST(RoutedMemoryFewImages, TwoToFourHaveLeftOutScoresButThePrior) {
  for (const std::int64_t n : {2, 4}) {
    const auto piece = learned(photos(n, 1));
    EXPECT_EQ(piece.tensors.at("scores").numel(), n);
    EXPECT_GE(piece.tensors.at("typical_distance").item<double>(), 0.55);
    EXPECT_EQ(piece.texts.at("status"), "uncalibrated");
    EXPECT_EQ(piece.tensors.at("norm.2").select(0, 0).item<double>(), .83);
    EXPECT_EQ(threshold_for(std::vector<float>(static_cast<std::size_t>(n), 1.F), 0.05),
              std::nullopt);
  }
}

TEST(RoutedMemoryFewImages, FiveAreCalibrated) {
  const auto piece = learned(photos(5, 1));
  EXPECT_EQ(piece.texts.at("status"), "calibrated");
  EXPECT_EQ(piece.tensors.at("scores").numel(), 5);
  EXPECT_NE(piece.tensors.at("norm.1").select(0, 0).item<double>(), .71);
}

TEST(RoutedMemory, EqualPicturesAreOneAndCounted) {
  Warnings warnings;
  const auto one = photos(1, 1);
  const auto many = learned(one.repeat({7, 1, 1, 1}), {}, &warnings);
  EXPECT_THAT(warnings.all, Contains(HasSubstr("6 images show the same pixels as an earlier one")));
  auto alone = learned(one);
  for (const auto& [key, value] : alone.tensors) {
    EXPECT_TRUE(many.tensors.at(key).equal(value)) << key;
  }
}

TEST(RoutedMemory, NearlyEqualPicturesAreCalledLowVariety) {
  auto pixels = photos(1, 1).repeat({8, 1, 1, 1});
  for (std::int64_t image = 0; image < 8; ++image) pixels[image][image][0][0] += 1;
  Warnings warnings;
  const auto piece = learned(pixels, {}, &warnings);
  EXPECT_THAT(warnings.all, Contains(HasSubstr("low variety")));
  for (const auto* norm : {"norm.1", "norm.2", "norm.3"}) {
    EXPECT_GE(piece.tensors.at(norm).select(0, 1).item<double>(), .02);  // z stays finite
  }
}

TEST(RoutedMemory, OneColourGivesFewEntriesAndFiniteScores) {
  const auto method = tiny();
  auto pixels = at::full({6, 32, 32, 3}, 90, at::kByte);
  for (std::int64_t image = 0; image < 6; ++image) pixels[image] += image;
  method->train_task(task_of(pixels), {});
  const auto state = method->save();
  const auto judged = method->score(task_of(pixels).images(0, 6), {});
  EXPECT_TRUE(judged.image_score.isfinite().all().item<bool>());
  EXPECT_TRUE(judged.anomaly_map->isfinite().all().item<bool>());
  const auto black = learned(at::zeros({1, 32, 32, 3}, at::kByte));
  for (const auto& [key, value] : black.tensors) {
    if (value.is_floating_point()) {
      EXPECT_TRUE(value.isfinite().all().item<bool>()) << key;
    }
  }
}

TEST(RoutedMemory, EveryCellIsKeptWhereThereIsRoom) {
  const auto piece = learned(photos(1, 1), {{"memory_size", "4096"}, {"code", "fp32"}});
  const auto cells = piece.tensors.at("bank.1.cells").to(at::kLong);
  EXPECT_EQ(std::get<0>(at::_unique(cells)).numel(), cells.numel());
  const auto method = tiny({{"memory_size", "4096"}, {"code", "fp32"}});
  method->train_task(task_of(photos(1, 1)), {});
  // Each of its own cells is in the bank, so nothing is left of any residual but a_l / b_l.
  const auto own = method->score(task_of(photos(1, 1)).images(0, 1), {});
  EXPECT_NEAR(own.task_distance->item<float>(), 0, 1e-6);
}

TEST(RoutedMemory, OfTwoEqualProductsTheOlderIsChosen) {
  const auto method = tiny({{"memory_size", "4096"}});
  const auto pixels = photos(3, 1);
  // The same name gives the same random stream, so that both banks are equal to the last bit.
  for (const TaskId id : {4, 2}) method->train_task(MemoryTaskData({id, "same"}, pixels), {});
  const auto judged = method->score(task_of(photos(4, 9)).images(0, 4), {});
  EXPECT_TRUE(judged.task->eq(2).all().item<bool>());
}

TEST(RoutedMemory, AValueThatIsNotFiniteIsNamedAndNeverStored) {
  const TemporaryFolder folder;
  const auto graph = builtin_networks()
                         .find("efficientnet_lite_test")
                         .describe({.height_px = 32, .width_px = 32, .taps = {"stage.4"}});
  Checkpoint checkpoint;
  const auto weights = random_weights(graph, 7);
  for (const auto& [name, view] : weights.views()) {
    std::vector<float> values(view.data.begin(), view.data.end());
    if (name.ends_with("_bn2.bias")) values[0] = NAN;  // after it no ReLU6 swallows it
    checkpoint.tensors[name] = stored_floats(view.shape, std::move(values));
  }
  const auto file = folder.path() / "broken.safetensors";
  write_file_atomic(file, write_safetensors(checkpoint));

  const auto method = tiny({{"weights", file.string()}});
  const auto error = error_of([&] { method->train_task(task_of(photos(4, 1)), {}); });
  EXPECT_EQ(error.code(), ErrorCode::kNumeric);
  EXPECT_THAT(error.what(), HasSubstr("image 0 of the batch: the network's 'stage.2' holds a"));
  EXPECT_TRUE(method->save().tasks.empty());
}

// Section 11; 1, 2 (each product's bytes), 4 and 8 are laws of every method or of the inspector.

TEST(RoutedMemoryLaws, OrderOfProductsChangesNoRouteAndNoScore) {
  const auto one = tiny(), other = tiny();
  for (const TaskId id : {0, 1, 2}) one->train_task(task_of(photos(6, 10 + id), id), {});
  for (const TaskId id : {2, 0, 1}) other->train_task(task_of(photos(6, 10 + id), id), {});
  const auto seen = task_of(at::cat({photos(5, 10), photos(5, 11), photos(5, 12)})).images(0, 15);
  const auto a = one->score(seen, {}), b = other->score(seen, {});
  EXPECT_TRUE(a.image_score.equal(b.image_score));
  EXPECT_TRUE(a.task->equal(*b.task));
  EXPECT_TRUE(a.anomaly_map->equal(*b.anomaly_map));
}

TEST(RoutedMemoryLaws, ASmallerMemoryIsTheBeginningOfALargerOne) {
  const auto small = learned(photos(6, 1), {{"memory_size", "40"}, {"code", "fp32"}});
  const auto large = learned(photos(6, 1), {{"memory_size", "90"}, {"code", "fp32"}});
  for (const std::string bank : {"bank.1", "bank.2"}) {
    const auto& first = small.tensors.at(bank + ".codes");
    EXPECT_TRUE(large.tensors.at(bank + ".codes").slice(0, 0, first.size(0)).equal(first)) << bank;
    EXPECT_TRUE(large.tensors.at(bank + ".owners")
                    .slice(0, 0, first.size(0))
                    .equal(small.tensors.at(bank + ".owners")));
  }
}

TEST(RoutedMemoryLaws, ATaughtImageScoresNoHigherThanWhenItWasLeftOut) {
  const auto method = tiny();
  const auto data = task_of(photos(12, 1));
  method->train_task(data, {});
  const auto left_out = method->calibration(0);
  const auto known = method->score(data.images(0, 12), {});
  for (std::int64_t image = 0; image < 12; ++image) {
    const auto at = static_cast<std::size_t>(image);
    EXPECT_LE(known.image_score[image].item<float>(), left_out->scores[at] + 1e-4F) << image;
    EXPECT_LE(known.task_distance->select(0, image).item<float>(), left_out->distances[at] + 1e-5F);
  }
}

TEST(RoutedMemoryLaws, LeftOutPValuesOfTheTaughtAreUniform) {
  const auto method = tiny();
  method->train_task(task_of(photos(9, 1)), {});
  const auto scores = method->calibration(0)->scores;
  std::vector<double> p_values;
  for (const float score : scores) {
    std::vector<float> others;
    for (const float other : scores) {
      if (&other != &score && other != score) others.push_back(other);
    }
    p_values.push_back(p_value(others, score));
  }
  std::ranges::sort(p_values);
  for (std::size_t rank = 0; rank < p_values.size(); ++rank) {
    EXPECT_NEAR(p_values[rank], static_cast<double>(rank + 1) / 9, 1e-12);
  }
}

TEST(RoutedMemory, ABudgetBelow32EntriesIsRefused) {
  EXPECT_THAT(error_of([] { tiny({{"memory_size", "31"}}); }).what(), HasSubstr("memory_size"));
}

}  // namespace
}  // namespace cadenza::routed_memory
