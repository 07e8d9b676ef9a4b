#include "cadenza/method/patchcore/patchcore.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/support/error_of.h"
#include "tests/support/memory_task_data.h"
#include "tests/support/random_tensor.h"
#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "cadenza/method/patchcore/task_bank.h"
#include "cadenza/method/registry.h"

namespace cadenza::patchcore {
namespace {

TaskBank bank_of(const at::Tensor& rows, const at::Tensor& owners) {
  TaskBank task{.bank = encode_bank(rows, owners, at::zeros_like(owners), BankCode::kFp32)};
  derive(task);
  return task;
}

double distance(const at::Tensor& one, const at::Tensor& other) {
  return (one - other).to(at::kDouble).norm().item<double>();
}

/// Equations 6 and 7 as they stand, by sorting everything.
double score_by_definition(const at::Tensor& rows, const at::Tensor& patches, std::size_t b) {
  double largest = -1;
  std::int64_t at_patch = 0, at_row = 0;
  for (std::int64_t patch = 0; patch < patches.size(0); ++patch) {
    double nearest = INFINITY;
    std::int64_t which = 0;
    for (std::int64_t row = 0; row < rows.size(0); ++row) {
      const double here = distance(patches[patch], rows[row]);
      if (here < nearest) nearest = here, which = row;
    }
    if (nearest > largest) largest = nearest, at_patch = patch, at_row = which;
  }
  std::vector<std::pair<double, std::int64_t>> from_entry;
  for (std::int64_t row = 0; row < rows.size(0); ++row) {
    from_entry.emplace_back(distance(rows[row], rows[at_row]), row);
  }
  std::ranges::sort(from_entry);
  from_entry.resize(std::min(b, from_entry.size()));
  if (from_entry.size() < 2) return largest;
  double sum = 0;
  for (const auto& [unused, row] : from_entry) {
    sum += std::exp(distance(patches[at_patch], rows[row]));
  }
  return (1 - std::exp(largest) / sum) * largest;
}

TEST(ImageScore, IsThePapersFormula) {
  const auto rows = random_tensor({40, 6}, 1);
  const auto task = bank_of(rows, at::zeros({40}, at::kInt));
  for (const std::int64_t b : {1, 2, 9, 60}) {
    for (std::uint64_t seed = 2; seed < 6; ++seed) {
      const auto patches = random_tensor({25, 6}, seed) * 1.5;
      EXPECT_NEAR(image_score(task, patches, match(task, patches), b),
                  score_by_definition(rows, patches, static_cast<std::size_t>(b)), 1e-5)
          << b << ", " << seed;
    }
  }
}

TEST(ImageScore, DistancesOfThousandsDoNotOverflow) {
  const auto rows = random_tensor({20, 4}, 1) * 1e4;
  const auto task = bank_of(rows, at::zeros({20}, at::kInt));
  const auto patches = random_tensor({5, 4}, 2) * 1e4;
  EXPECT_TRUE(std::isfinite(image_score(task, patches, match(task, patches), 9)));
}

TEST(ImageScore, LeftOutIsTheBankWithoutThatImagesRows) {
  const auto rows = random_tensor({60, 5}, 7);
  const auto owners = at::arange(60, at::kInt).remainder(3).to(at::kInt);
  const auto task = bank_of(rows, owners);
  const auto others = bank_of(rows.index({owners.ne(1)}), owners.index({owners.ne(1)}));
  const auto patches = random_tensor({9, 5}, 8);
  const auto left_out = match(task, patches, 1), without = match(others, patches);
  EXPECT_EQ(left_out.distance, without.distance);
  EXPECT_EQ(image_score(task, patches, left_out, 9, 1), image_score(others, patches, without, 9));
}

std::unique_ptr<Method> tiny(OptionTexts options = {}) {
  const auto methods = builtin_methods();
  for (const auto& option : methods.find("patchcore").tiny) options.insert(option);
  return methods.make("patchcore", options, {});
}

at::Tensor photos(std::int64_t n, std::uint64_t seed) {
  return (random_tensor({n, 32, 32, 3}, seed) * 30 + 128).clamp(0, 255).to(at::kByte);
}

TEST(PatchCore, TheBankHasTheShareButAtLeastTheLeastRowsAndNotMoreThanThereAre) {
  const auto rows_of = [](const OptionTexts& options, std::int64_t n_images) {
    const auto method = tiny(options);
    method->train_task(MemoryTaskData({.id = 0, .name = "a"}, photos(n_images, 3)), {});
    return method->save().tasks.at(0).tensors.at("bank.codes").size(0);
  };
  const auto n_patches = rows_of({{"least_rows", "100000"}}, 1);
  EXPECT_EQ(rows_of({{"least_rows", "7"}}, 6), 7);
  EXPECT_EQ(rows_of({{"least_rows", "7"}, {"coreset_ratio", "0.5"}}, 6), 3 * n_patches);
}

TEST(PatchCore, OneImageGivesARankingWithoutThreshold) {
  const auto method = tiny();
  method->train_task(MemoryTaskData({.id = 0, .name = "a"}, photos(1, 3)), {});
  EXPECT_TRUE(method->calibration(0)->scores.empty());
  const MemoryTaskData same({.id = 0, .name = "a"}, photos(1, 3));
  EXPECT_NEAR(method->score(same.images(0, 1), {}).image_score.item<float>(), 0, 1e-3);
}

TEST(PatchCore, AnEvenNeighbourhoodAndAVectorTapAreRefused) {
  EXPECT_THAT(error_of([] { tiny({{"neighbourhood", "4"}}); }).what(),
              testing::HasSubstr("expected an odd number, found 4"));
  EXPECT_THAT(error_of([] { tiny({{"layers", ""}}); }).what(), testing::HasSubstr("'layers'"));
}

}  // namespace
}  // namespace cadenza::patchcore
