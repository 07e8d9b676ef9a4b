#include "cadenza/structure/region_source/write_mask_tree.h"

#include "tests/support/error_of.h"
#include "tests/support/photos.h"
#include "tests/support/temporary_folder.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/image/decode.h"
#include "cadenza/image/resize.h"
#include "cadenza/structure/felzenszwalb.h"
#include "cadenza/structure/region_source/mask_tree.h"
#include "cadenza/structure/slic.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::SizeIs;

class WriteMaskTree : public testing::Test {
 protected:
  WriteMaskTree() {
    pictures_ = write_photos(root() / "bottle/train/good", kBottle, 3, 0, {.has_defect = true});
  }
  const fs::path& root() const { return folder_.path(); }
  fs::path out() const { return root() / "maps"; }
  MaskTreeReport write(const MaskTreeRequest& request) const {
    return write_mask_tree(root(), pictures_, out(), request, {});
  }

  std::vector<fs::path> pictures_;

 private:
  TemporaryFolder folder_;
};

TEST_F(WriteMaskTree, ItsMapsAreFoundByTrainingAndAreThoseOfTheMethod) {
  EXPECT_EQ(write({"slic", {{"n_segments", "9"}}}).n_written, 3);
  const MaskTree tree(out());
  for (const auto& picture : pictures_) {
    EXPECT_EQ(tree.find(picture).ids, slic(read_image(picture), {.n_segments = 9}).ids);
  }
}

TEST_F(WriteMaskTree, TheAuthorsFormatIsEightBitOfTheSquashedPictureUnderItsOwnName) {
  write({"felzenszwalb", {{"min_size", "0"}, {"sigma", "0"}}, LabelMapFormat::kAuthors8Bit});
  const auto map = read_image(out() / "bottle/train/good/0001.png");
  const auto squashed = resize_opencv_linear(read_image(pictures_[1]), 224, 224);
  const auto expected = felzenszwalb(squashed, {.sigma = 0, .min_size_px = 0});
  ASSERT_EQ(map.pixels.size(), expected.ids.size());
  EXPECT_GT(*std::ranges::max_element(expected.ids), 255);  // so that some saturate
  for (std::size_t at = 0; at < map.pixels.size(); ++at) {
    ASSERT_EQ(map.pixels[at], std::min(expected.ids[at], 255)) << at;
  }
}

TEST_F(WriteMaskTree, GoesOnWhereItWasAndRefusesToMixTwoKinds) {
  const MaskTreeRequest request{"slic", {}};
  write(request);
  fs::remove(out() / "bottle/train/good/0001.png");
  const auto again = write(request);
  EXPECT_EQ(again.n_written, 1);
  EXPECT_EQ(again.n_kept, 2);
  const auto mixed = error_of([&] { write({"slic", {{"n_segments", "9"}}}); });
  EXPECT_EQ(mixed.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(mixed.what(), HasSubstr("masks.json: the maps here were made with"));
  EXPECT_THAT(mixed.what(), HasSubstr("name another --out"));
}

TEST_F(WriteMaskTree, ABadPictureIsAFailureAndTheOthersAreDone) {
  pictures_.push_back(root() / "text.png");
  write_file_atomic(pictures_.back(), std::string_view("Dear customer"));
  const auto report = write({"slic", {}});
  EXPECT_EQ(report.n_written, 3);
  ASSERT_THAT(report.failures, SizeIs(1));
  EXPECT_EQ(report.failures[0].picture, pictures_.back());
  EXPECT_THAT(report.failures[0].error.what(), HasSubstr("text.png: not an image"));
}

TEST_F(WriteMaskTree, RefusesWhatHasNoPlaceInTheTree) {
  const auto outside =
      error_of([&] { write_mask_tree(root() / "nut", pictures_, out(), {"slic", {}}, {}); });
  EXPECT_THAT(outside.what(), HasSubstr("0000.png: lies outside"));
  pictures_.push_back(pictures_[0]);
  pictures_.back().replace_extension(".bmp");
  EXPECT_THAT(error_of([&] { write({"slic", {}}); }).what(),
              HasSubstr("their maps would both be bottle/train/good/0000.png; rename one"));
  EXPECT_EQ(error_of([&] { write({"watershed", {}}); }).code(), ErrorCode::kInvalidArgument);
  pictures_.pop_back();
  EXPECT_EQ(error_of([&] { write({"watershed", {}}); }).code(), ErrorCode::kNotFound);
  EXPECT_FALSE(fs::exists(out()));
}

TEST_F(WriteMaskTree, StopsWhenAsked) {
  std::stop_source stop;
  stop.request_stop();
  const auto stopped = error_of([&] {
    write_mask_tree(root(), pictures_, out(), {"slic", {}}, {}, no_progress(), stop.get_token());
  });
  EXPECT_EQ(stopped.code(), ErrorCode::kCancelled);
  EXPECT_THAT(stopped.what(), HasSubstr("the same command goes on where it was"));
}

}  // namespace
}  // namespace cadenza
