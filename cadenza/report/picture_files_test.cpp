#include "cadenza/report/picture_files.h"

#include <cstring>

#include "tests/support/error_of.h"
#include "tests/support/photos.h"
#include "tests/support/temporary_folder.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/image/decode.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class PictureFilesTest : public ::testing::Test {
 protected:
  PictureFilesTest() {
    verdict_.map = {24, 32, std::vector<float>(24 * 32, 0.5F)};
    verdict_.map.values[33] = 3;  // row 1, column 1
    verdict_.map_threshold = 2;
  }
  fs::path out(const std::string& name) const { return folder_.path() / "out" / name; }

  TemporaryFolder folder_;
  std::vector<std::byte> photo_ = encode_png(photo_of(kBottle, 1));
  Verdict verdict_;
};

TEST_F(PictureFilesTest, EachKindHasItsFolderAndMirrorsThePath) {
  PictureFiles files(folder_.path() / "out", parse_saved_pictures("overlay,map,mask"));
  const Json written = files.write("test/crack 1/3.jpg", photo_, verdict_);
  EXPECT_EQ(written["overlay"], out("overlay/test/crack 1/3.png").string());
  EXPECT_EQ(written["map"], out("map/test/crack 1/3.tiff").string());
  EXPECT_EQ(written["mask"], out("mask/test/crack 1/3.png").string());
  EXPECT_EQ(read_image(out("overlay/test/crack 1/3.png")).width_px, 32);

  const Image mask = read_image(out("mask/test/crack 1/3.png"));
  for (std::int64_t y = 0; y < 24; ++y) {
    for (std::int64_t x = 0; x < 32; ++x) EXPECT_EQ(mask.at(y, x, 0), x == 1 && y == 1 ? 255 : 0);
  }
  const auto tiff = read_file(out("map/test/crack 1/3.tiff"));
  std::vector<float> values(24 * 32);
  std::memcpy(values.data(), tiff.data() + tiff.size() - 4 * values.size(), 4 * values.size());
  EXPECT_EQ(values, verdict_.map.values);  // as they are
  EXPECT_GT(verdict_.clock.milliseconds(Stage::kRender), 0);
}

TEST_F(PictureFilesTest, OnlyWhatWasAskedForIsWritten) {
  PictureFiles files(folder_.path() / "out", parse_saved_pictures("mask"));
  EXPECT_EQ(files.write("a.png", photo_, verdict_).size(), 1);
  EXPECT_FALSE(fs::exists(out("map")));
  PictureFiles none(folder_.path() / "none", parse_saved_pictures("none"));
  EXPECT_TRUE(none.write("a.png", photo_, verdict_).empty());
  EXPECT_FALSE(fs::exists(folder_.path() / "none"));
}

TEST_F(PictureFilesTest, NoTwoImagesShareAFileAndNoneLeavesTheFolder) {
  PictureFiles files(folder_.path() / "out", parse_saved_pictures("mask"));
  const auto place = [&](const fs::path& file) {
    return files.write(file, photo_, verdict_)["mask"].get<std::string>();
  };
  EXPECT_EQ(place("a/1.png"), out("mask/a/1.png").string());
  EXPECT_EQ(place("a/1.jpg"), out("mask/a/1.jpg.png").string());
  EXPECT_EQ(place("../a/1.png"), out("mask/_up/a/1.png").string());
  EXPECT_EQ(place("/data/x.bmp"), out("mask/data/x.png").string());
  EXPECT_EQ(place("b/../c/./1.png"), out("mask/c/1.png").string());
}

TEST_F(PictureFilesTest, WhatAVerdictLacksIsNull) {
  PictureFiles files(folder_.path() / "out", parse_saved_pictures("overlay,map,mask"));
  verdict_.map_threshold.reset();
  Json written = files.write("a.png", photo_, verdict_);
  EXPECT_TRUE(written["overlay"].is_null());
  EXPECT_TRUE(written["mask"].is_null());
  EXPECT_TRUE(written["map"].is_string());
  verdict_.map = {};
  written = files.write("b.png", photo_, verdict_);
  EXPECT_TRUE(written["map"].is_null());
}

TEST_F(PictureFilesTest, AnUnknownKindIsRefused) {
  const Error error = error_of([] { parse_saved_pictures("overlay,maps"); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("'maps' is not one of overlay, map, mask, none"));
}

TEST_F(PictureFilesTest, AFolderThatCannotBeMadeIsAnIoError) {
  write_file_atomic(folder_.path() / "out", "a file");
  PictureFiles files(folder_.path() / "out", parse_saved_pictures("map"));
  EXPECT_EQ(error_of([&] { files.write("a.png", photo_, verdict_); }).code(), ErrorCode::kIo);
}

}  // namespace
}  // namespace cadenza
