#include "cadenza/dataset/one_task.h"

#include "tests/support/error_of.h"
#include "tests/support/memory_task_data.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace cadenza {
namespace {

/// Six pictures of the tasks a, b, a, a, b, a; every pixel of picture k is k.
MemoryTaskData two_tasks() {
  const auto pixels = at::arange(6, at::kByte).view({6, 1, 1, 1}).expand({6, 2, 2, 3});
  return {std::vector<TaskRef>{{.id = 3, .name = "a"}, {.id = 8, .name = "b"}}, pixels.contiguous(),
          at::tensor({0, 1, 0, 0, 1, 0}, at::kLong)};
}

std::vector<int> numbers(const at::Tensor& pixels) {
  std::vector<int> all;
  for (std::int64_t row = 0; row < pixels.size(0); ++row) {
    all.push_back(pixels[row][0][0][0].item<int>());
  }
  return all;
}

TEST(OneTask, HasTheImagesOfThatTaskInTheirOrder) {
  const auto data = two_tasks();
  const auto a = one_task(data, 0), b = one_task(data, 1);
  EXPECT_EQ(a->size(), 4);
  EXPECT_EQ(a->tasks()[0].id, 3);
  EXPECT_EQ(b->tasks()[0].name, "b");
  EXPECT_EQ(numbers(a->pixels(0, 4)), (std::vector<int>{0, 2, 3, 5}));
  EXPECT_EQ(numbers(a->pixels(1, 3)), (std::vector<int>{2, 3}));
  EXPECT_EQ(numbers(b->pixels(0, 2)), (std::vector<int>{1, 4}));
  EXPECT_EQ(a->pixels(2, 2).size(0), 0);
  EXPECT_TRUE(at::equal(a->images(3, 4), data.images(5, 6)));
  EXPECT_EQ(a->digest(3), data.digest(5));
  EXPECT_TRUE(at::equal(b->task(0, 2), at::zeros({2}, at::kLong)));
  EXPECT_FALSE(a->structure(0, 1).has_value());
  EXPECT_FALSE(a->defect(0, 1).has_value());
}

TEST(OneTask, RefusesWhatIsNotThere) {
  const auto data = two_tasks();
  EXPECT_EQ(error_of([&] { one_task(data, 2); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { one_task(data, 1)->images(0, 3); }).code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cadenza
