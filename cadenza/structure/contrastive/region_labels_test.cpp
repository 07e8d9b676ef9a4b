#include "cadenza/structure/contrastive/region_labels.h"

#include "tests/support/error_of.h"
#include "tests/support/memory_task_data.h"
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cadenza {
namespace {

using namespace std::string_view_literals;

/// Left half black, right half white.
at::Tensor two_halves() {
  auto pixels = at::zeros({1, 28, 28, 3}, at::kByte);
  pixels.slice(2, 14).fill_(255);
  return pixels;
}

class MappedData final : public MemoryTaskData {
 public:
  MappedData() : MemoryTaskData(TaskRef{.id = 0, .name = "halves"}, two_halves()) {}
  std::optional<at::Tensor> structure(std::int64_t, std::int64_t) const override {
    ++n_asked;
    return two_halves().select(3, 0).to(at::kInt);
  }
  mutable int n_asked = 0;
};

TEST(RegionLabels, AreThoseOfTheMapTakenOnce) {
  const MappedData data;
  RegionLabels labels(data, {.rows = 2, .columns = 2});
  EXPECT_TRUE(labels.of_image(0).equal(at::tensor({0, 255, 0, 255}, at::kLong).view({1, 4})));
  labels.of_image(0);
  EXPECT_EQ(data.n_asked, 1);
}

TEST(RegionLabels, OfKeptPicturesAreMadeAnew) {
  const MappedData data;
  for (const auto* structure : {"felzenszwalb", "slic", "sam", "folder"}) {
    const auto found = RegionLabels(data, {.rows = 2, .columns = 2, .structure = structure})
                           .of_pixels(two_halves());
    EXPECT_NE(found[0][0].item<int>(), found[0][1].item<int>()) << structure;
    EXPECT_NE(found[0][2].item<int>(), found[0][3].item<int>()) << structure;
    // slic cuts a half into several regions, the others do not.
    EXPECT_EQ(found[0][0].item<int>() == found[0][2].item<int>(), structure != "slic"sv);
  }
}

TEST(RegionLabels, AGridNeedsNoMaps) {
  const MemoryTaskData data(TaskRef{.id = 0, .name = "halves"}, two_halves());
  RegionLabels labels(data, {.rows = 6, .columns = 7, .structure = "grid"});
  const auto found = labels.of_image(0).view({6, 7});
  EXPECT_EQ(found[4][4].item<int>(), 0);
  EXPECT_EQ(found[4][5].item<int>(), 1);
  EXPECT_EQ(found[5][0].item<int>(), 2);
  EXPECT_EQ(found[5][6].item<int>(), 3);
  EXPECT_TRUE(labels.of_pixels(two_halves())[0].equal(found.flatten()));
}

TEST(RegionLabels, SayWhereMissingMapsWouldComeFrom) {
  const MemoryTaskData data(TaskRef{.id = 0, .name = "halves"}, two_halves());
  const auto error = error_of([&] { RegionLabels(data, {}).of_image(0); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), testing::HasSubstr("structure=grid"));
}

}  // namespace
}  // namespace cadenza
