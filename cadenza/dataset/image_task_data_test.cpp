#include "cadenza/dataset/image_task_data.h"

#include <atomic>
#include <thread>

#include "tests/support/error_of.h"
#include "tests/support/temporary_folder.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cadenza/base/digest.h"
#include "cadenza/base/file.h"
#include "cadenza/dataset/preprocess.h"
#include "cadenza/image/encode.h"

namespace cadenza {
namespace {

Image flat(std::uint8_t value) {
  return {20, 24, 3, std::vector<std::uint8_t>(20 * 24 * 3, value)};
}

class OpenTraining : public testing::Test {
 protected:
  OpenTraining() {
    for (int index = 0; index < 6; ++index) {
      const auto file = folder_.path() / (std::to_string(index) + ".png");
      write_file_atomic(file, encode_png(flat(std::uint8_t(10 * index))));
      samples_.push_back({.file = file, .task = index < 2 ? "nut" : "bolt"});
    }
  }

  TemporaryFolder folder_;
  std::vector<Sample> samples_;
  std::vector<TaskRef> tasks_{{7, "nut"}, {3, "bolt"}};
  InputSpec input_{.height_px = 16, .width_px = 12};
};

TEST_F(OpenTraining, GivesWhatPrepareGives) {
  for (const auto resampler : {Resampler::kTriangleFloat, Resampler::kPillowBilinear}) {
    input_.resampler = resampler;
    for (const std::uint64_t cache_bytes : {0, 2000, 1 << 20}) {
      const auto data = open_training(tasks_, samples_, input_, {.cache_bytes = cache_bytes});
      ASSERT_EQ(data->size(), 6);
      EXPECT_EQ(data->tasks()[1].name, "bolt");
      for (int round = 0; round < 2; ++round) {
        EXPECT_TRUE(at::equal(data->images(4, 5)[0], prepare(flat(40), input_)));
        EXPECT_TRUE(at::equal(data->pixels(1, 3)[1], prepare_pixels(flat(20), input_)));
      }
      EXPECT_EQ(data->images(2, 2).size(0), 0);
      EXPECT_TRUE(at::equal(data->task(1, 4), at::tensor({0, 1, 1}, at::kLong)));
      EXPECT_FALSE(data->defect(0, 6).has_value());
      EXPECT_FALSE(data->structure(0, 6).has_value());
      EXPECT_EQ(data->digest(3), sha256_hex(read_file(samples_[3].file)));
    }
  }
}

TEST_F(OpenTraining, SeveralThreadsGetTheSame) {
  const auto data = open_training(tasks_, samples_, input_, {.cache_bytes = 4000});
  const at::Tensor expected = open_training(tasks_, samples_, input_)->images(0, 6);
  std::atomic<int> n_equal = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int round = 0; round < 5; ++round) n_equal += at::equal(data->images(0, 6), expected);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(n_equal, 20);
}

TEST_F(OpenTraining, AFileIsReadOnceWhereItFitsTheCache) {
  input_.resampler = Resampler::kPillowBilinear;
  const auto data = open_training(tasks_, samples_, input_);
  const at::Tensor before = data->images(0, 6);
  for (const auto& sample : samples_) std::filesystem::remove(sample.file);
  EXPECT_TRUE(at::equal(data->images(0, 6), before));
  EXPECT_EQ(data->digest(0).size(), 64U);
}

TEST_F(OpenTraining, AFileThatChangesIsAnError) {
  const auto data = open_training(tasks_, samples_, input_, {.cache_bytes = 0});
  data->images(0, 1);
  write_file_atomic(samples_[0].file, encode_png(flat(99)));
  const auto error = error_of([&] { data->images(0, 1); });
  EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
  EXPECT_EQ(error.what(), samples_[0].file.string() +
                              ": the file changed while it was being learned; train again");
}

TEST_F(OpenTraining, RegionMapsComeFromTheGivenSource) {
  input_.needs_structure = true;
  EXPECT_EQ(error_of([&] { open_training(tasks_, samples_, input_); }).code(),
            ErrorCode::kInvalidArgument);
  const auto data = open_training(
      tasks_, samples_, input_, {.regions = [](const Sample& sample, const Image& fitted) {
        EXPECT_EQ(fitted.height_px, 16);
        return at::full({16, 12}, sample.task == "nut" ? 1 : 2, at::kInt);
      }});
  EXPECT_EQ(data->structure(0, 6)->sum().item<std::int64_t>(), 16 * 12 * (2 * 1 + 4 * 2));
  const auto wrong =
      open_training(tasks_, samples_, input_,
                    {.regions = [](const Sample&, const Image&) { return at::zeros({16, 12}); }});
  EXPECT_EQ(error_of([&] { wrong->structure(0, 1); }).code(), ErrorCode::kInvalidArgument);
}

TEST_F(OpenTraining, ErrorsNameTheFile) {
  write_file_atomic(samples_[5].file, std::string_view("Dear colleague"));
  const auto data = open_training(tasks_, samples_, input_);
  const auto error = error_of([&] { data->images(0, 6); });
  EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
  EXPECT_EQ(std::string(error.what()).find(samples_[5].file.string() + ": not an image"), 0U)
      << error.what();
  EXPECT_EQ(error_of([&] { data->images(5, 7); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { data->digest(6); }).code(), ErrorCode::kInvalidArgument);
}

TEST_F(OpenTraining, ADefectNeedsToBeAskedFor) {
  samples_[3].is_defect = true;
  samples_[3].defect_type = "bent";
  const auto error = error_of([&] { open_training(tasks_, samples_, input_); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_NE(std::string(error.what()).find("a defect ('bent')"), std::string::npos);
  const auto data = open_training(tasks_, samples_, input_, {.is_labelled = true});
  EXPECT_TRUE(at::equal(*data->defect(2, 5), at::tensor({0, 1, 0}, at::kLong)));
}

TEST_F(OpenTraining, TasksAndSamplesMustAgree) {
  const auto code = [&](std::vector<TaskRef> tasks) {
    return error_of([&] { open_training(std::move(tasks), samples_, input_); }).code();
  };
  EXPECT_EQ(code({{0, "nut"}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({{0, "nut"}, {1, "nut"}, {2, "bolt"}}), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cadenza
