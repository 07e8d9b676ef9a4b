#include "cadenza/dataset/check.h"

#include <algorithm>

#include "tests/support/error_of.h"
#include "tests/support/photos.h"
#include "tests/support/temporary_folder.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/dataset/layout.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// One product as MVTec lays it out: two normals to learn, one to test, two defects with masks.
class CheckDataset : public testing::Test {
 protected:
  CheckDataset() {
    write_photos(root() / "bottle/train/good", kBottle, 2);
    write_photos(root() / "bottle/test/good", kBottle, 1, 10);
    write_photos(root() / "bottle/test/crack", kBottle, 2, 20, {.has_defect = true});
    put_mask("0000", 24, 32, 255);
    put_mask("0001", 24, 32, 1);
  }
  const fs::path& root() const { return folder_.path(); }
  fs::path file(const std::string& name) const { return root() / "bottle" / name; }
  void put(const std::string& name, std::string_view text) const {
    fs::create_directories(file(name).parent_path());
    write_file(file(name), std::as_bytes(std::span(text)));
  }
  void put_mask(const std::string& stem, std::int64_t height, std::int64_t width,
                std::uint8_t value) const {
    fs::create_directories(file("ground_truth/crack"));
    Image mask{height, width, 1, {}};
    mask.pixels.assign(static_cast<std::size_t>(height * width), 0);
    mask.pixels.back() = value;
    write_file(file("ground_truth/crack/" + stem + "_mask.png"), encode_png(mask));
  }
  DatasetCheck check() const { return check_dataset(read_dataset(root())); }
  static const CheckRow& row(const DatasetCheck& check, Split split, const std::string& label) {
    return *std::ranges::find_if(
        check.rows, [&](const CheckRow& one) { return one.split == split && one.label == label; });
  }
  /// The only finding, which must be of this kind.
  static std::string only(const DatasetCheck& check, FindingKind kind) {
    EXPECT_THAT(check.findings, SizeIs(1));
    if (check.findings.empty()) return {};
    EXPECT_EQ(to_string(check.findings[0].kind), to_string(kind));
    return check.findings[0].message;
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(CheckDataset, CountsImagesAndMasksByTaskSplitAndLabel) {
  const auto found = check();
  EXPECT_THAT(found.findings, IsEmpty());
  EXPECT_EQ(found.n_images, 5);
  ASSERT_THAT(found.rows, SizeIs(3));
  EXPECT_EQ(row(found, Split::kTrain, "good").n_images, 2);
  const auto& crack = row(found, Split::kTest, "crack");
  EXPECT_EQ(crack.n_images, 2);
  EXPECT_EQ(crack.n_masked, 2);  // a value of 1 is defect, too
  EXPECT_THAT(crack.reasons, IsEmpty());
  EXPECT_EQ(crack.least_width_px, 32);
  EXPECT_EQ(crack.most_height_px, 24);
}

TEST_F(CheckDataset, AMaskOfAnotherSizeIsAProblemByName) {
  put_mask("0001", 24, 31, 255);
  const auto found = check();
  const auto message = only(found, FindingKind::kMaskSize);
  EXPECT_THAT(message, HasSubstr("0001_mask.png: the mask is 31x24 pixels, its image"));
  EXPECT_THAT(message, HasSubstr("0001.png is 32x24"));
  EXPECT_EQ(found.n_problems(), 1);
  EXPECT_EQ(row(found, Split::kTest, "crack").n_masked, 1);
  EXPECT_THAT(row(found, Split::kTest, "crack").reasons, ElementsAre("1 mask of another size"));
}

TEST_F(CheckDataset, FilesThatCannotBeReadAreProblemsWithTheirReason) {
  put("train/good/text.png", "Dear customer");
  put("ground_truth/crack/0000_mask.png", "");
  const auto found = check();
  ASSERT_THAT(found.findings, SizeIs(2));
  EXPECT_EQ(found.n_problems(), 2);
  EXPECT_EQ(found.findings[0].kind, FindingKind::kUnreadableImage);
  EXPECT_THAT(found.findings[0].message, HasSubstr("text.png: not an image"));
  EXPECT_EQ(found.findings[1].kind, FindingKind::kUnreadableMask);
  EXPECT_THAT(found.findings[1].message,
              HasSubstr("0000_mask.png: not an image: the file is empty"));
  EXPECT_THAT(row(found, Split::kTest, "crack").reasons, ElementsAre("1 mask cannot be read"));
  EXPECT_THAT(row(found, Split::kTrain, "good").reasons, ElementsAre("1 image cannot be read"));
}

TEST_F(CheckDataset, MissingAndEmptyMasksAreRemarks) {
  put_mask("0000", 24, 32, 0);
  fs::remove(file("ground_truth/crack/0001_mask.png"));
  const auto found = check();
  EXPECT_EQ(found.n_problems(), 0);
  EXPECT_THAT(row(found, Split::kTest, "crack").reasons,
              ElementsAre("1 without a mask", "1 mask marks nothing"));
  fs::remove_all(file("ground_truth"));
  const auto none = check();
  EXPECT_THAT(none.findings, IsEmpty());
  EXPECT_THAT(row(none, Split::kTest, "crack").reasons, ElementsAre("no masks are there"));
}

TEST_F(CheckDataset, AMaskWithoutAnImageIsNamedByTheReader) {
  put_mask("0007", 24, 32, 255);
  EXPECT_THAT(read_dataset(root()).notes, Contains(HasSubstr("0007_mask.png: a mask without an")));
}

TEST_F(CheckDataset, APictureToLearnAndToTestIsFoundByItsPixels) {
  // Another file format, hence other bytes: a bitmap of the first normal.
  const auto photo = photo_of(kBottle, 0);
  std::string bitmap = "BM";
  const auto u32 = [&](std::uint32_t value) {
    for (int byte = 0; byte < 4; ++byte) bitmap += static_cast<char>(value >> (8 * byte));
  };
  for (const std::uint32_t value : {54U + 24 * 96, 0U, 54U, 40U, 32U, 24U}) u32(value);
  bitmap += std::string("\x01\0\x18\0", 4);
  for (const std::uint32_t value : {0U, 24U * 96, 2835U, 2835U, 0U, 0U}) u32(value);
  for (std::int64_t y = 23; y >= 0; --y) {
    for (std::int64_t x = 0; x < 32; ++x) {
      for (const std::int64_t channel : {2, 1, 0}) {
        bitmap += static_cast<char>(photo.at(y, x, channel));
      }
    }
  }
  put("test/good/renamed.bmp", bitmap);
  const auto found = check();
  const auto message = only(found, FindingKind::kTrainTestDuplicate);
  EXPECT_THAT(message, HasSubstr("0000.png (train, good): the same picture as"));
  EXPECT_THAT(message, HasSubstr("renamed.bmp (test, good)"));
  EXPECT_THAT(found.findings[0].files, SizeIs(2));
  EXPECT_EQ(found.n_problems(), 1);
}

TEST_F(CheckDataset, OnePictureWithTwoLabelsIsAProblemAndTwiceOnOneSideARemark) {
  fs::copy_file(file("test/good/0000.png"), file("test/crack/0009.png"));
  put_mask("0009", 24, 32, 255);
  EXPECT_THAT(only(check(), FindingKind::kLabelConflict), HasSubstr("(test, crack)"));
  fs::remove(file("test/crack/0009.png"));
  fs::remove(file("ground_truth/crack/0009_mask.png"));
  fs::copy_file(file("train/good/0000.png"), file("train/good/0009.png"));
  const auto twice = check();
  only(twice, FindingKind::kDuplicate);
  EXPECT_EQ(twice.n_problems(), 0);
}

TEST_F(CheckDataset, StopsWhenAsked) {
  std::stop_source stop;
  stop.request_stop();
  const auto dataset = read_dataset(root());
  EXPECT_EQ(error_of([&] { check_dataset(dataset, no_progress(), stop.get_token()); }).code(),
            ErrorCode::kCancelled);
}

}  // namespace
}  // namespace cadenza
