// data check, convert, lists, fewshot and masks, run as a user runs them.
#include <fstream>

#include "tests/support/photos.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_folder.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/base/json.h"
#include "cadenza/image/decode.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

class DataCommand : public testing::Test {
 protected:
  DataCommand() {
    for (const auto& product : {kBottle, kCable}) {
      write_photos(path("in") / product.name / "good", product, 6);
      write_photos(path("in") / product.name / "bad", product, 2, 20, {.has_defect = true});
    }
  }
  fs::path path(const std::string& name) const { return folder_.path() / name; }
  ProgramResult data(std::vector<std::string> words) const {
    words.insert(words.begin(), {CADENZA_PROGRAM, "data"});
    return run_program(words, folder_.path());
  }
  Json json(std::vector<std::string> words) const {
    words.emplace_back("--json");
    const auto result = data(words);
    EXPECT_EQ(result.status, 0) << result.err;
    return parse_json(result.out, "standard output");
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(DataCommand, CheckPrintsTheTableAndEndsWithThreeWhereFiguresWouldSuffer) {
  const auto good = data({"check", "in"});
  EXPECT_EQ(good.status, 0) << good.err;
  EXPECT_THAT(good.out, HasSubstr("task    split  label  images  masks  size"));
  EXPECT_THAT(good.out,
              HasSubstr("bottle  test   bad    2       0      32 x 24  no masks are there"));
  EXPECT_THAT(good.out, HasSubstr("no problem found"));

  fs::create_directories(path("in/bottle/masks"));
  write_file(path("in/bottle/masks/0000.png"),
             encode_png({8, 8, 1, std::vector<std::uint8_t>(64)}));
  write_file(path("in/bottle/masks/0009.png"),
             encode_png({8, 8, 1, std::vector<std::uint8_t>(64)}));
  write_file(path("in/cable/good/text.png"), std::as_bytes(std::span("Dear customer")));
  fs::copy_file(path("in/cable/good/0000.png"), path("in/cable/bad/0007.png"));
  const auto bad = data({"check", "in"});
  EXPECT_EQ(bad.status, 3);
  for (const char* text :
       {"mask-size: in/bottle/masks/0000.png: the mask is 8x8 pixels",
        "unreadable-image: in/cable/good/text.png: not an image: starts with 'Dear custome'",
        "train-test-duplicate: in/cable/good/0000.png (train, good): the same picture as "
        "in/cable/bad/0007.png (test, bad)",
        "missing-mask: in/bottle/bad/0001.png: has no mask",
        "in/bottle/masks/0009.png: a mask without an image"}) {
    EXPECT_THAT(bad.out, HasSubstr(text)) << bad.out;
  }
  const auto twice = parse_json(data({"check", "in", "in", "--json"}).out, "standard output");
  EXPECT_THAT(twice.at("datasets"), SizeIs(2));
  EXPECT_EQ(twice.at("problems"), 6);
  EXPECT_EQ(twice.at("datasets")[0].at("rows")[0].at("task"), "bottle");
}

TEST_F(DataCommand, WhatIsNoDataSetIsRefused) {
  EXPECT_EQ(data({"check", "nowhere"}).status, 11);
  EXPECT_EQ(data({"check"}).status, 2);
  fs::create_directories(path("empty"));
  const auto empty = data({"check", "empty"});
  EXPECT_EQ(empty.status, 10);
  EXPECT_THAT(empty.err, HasSubstr("empty: looks like no data set that is known"));
  EXPECT_EQ(data({"check", "in", "--layout", "mvtek"}).status, 11);
  EXPECT_EQ(data({"convert", "in", "--out", "in"}).status, 10);
  EXPECT_EQ(data({"fewshot", "in", "--shots", "7", "--out", "fs"}).status, 10);
  EXPECT_EQ(data({"fewshot", "in", "--shots", "two", "--out", "fs"}).status, 10);
  EXPECT_EQ(data({"masks", "in", "--method", "sam", "--out", "m", "--weights", "."}).status, 11);
  const auto option = data({"masks", "in", "--set", "scala=3", "--out", "m"});
  EXPECT_EQ(option.status, 10);
  EXPECT_THAT(option.err, HasSubstr("did you mean 'scale'?"));
}

TEST_F(DataCommand, ConvertsAndListsWhatCanBeReadAgain) {
  const auto converted = json({"convert", "in", "--out", "tree", "--files", "link"});
  EXPECT_EQ(converted.at("images"), 16);
  EXPECT_TRUE(fs::is_symlink(path("tree/cable/test/bad/0001.png")));
  const auto lists = json({"lists", "tree", "--out", "lists"});
  EXPECT_EQ(lists.at("lists")[0], parse_json(R"({"file": "lists/train.json", "images": 12})", "x"));
  const auto checked = json({"check", "lists"}).at("datasets")[0];
  EXPECT_EQ(checked.at("layout"), "jsonl");
  EXPECT_EQ(checked.at("images"), 16);
  EXPECT_THAT(data({"lists", "tree", "--format", "inctrl", "--out", "other"}).out,
              HasSubstr("other/bottle_val_outlier.json: 2 images"));
}

TEST_F(DataCommand, DrawsFewShotsAsImagesAndAsPrompts) {
  const auto drawn = json({"fewshot", "in", "--shots", "2", "4", "--out", "fs"}).at("sets");
  ASSERT_THAT(drawn, SizeIs(2));
  EXPECT_THAT(drawn[1].at("tasks").at("cable"), SizeIs(4));
  EXPECT_EQ(std::distance(fs::directory_iterator(path("fs/2/bottle")), {}), 2);
  EXPECT_EQ(read_json(path("fs/4/drawn.json")), drawn[1]);
  const auto again = data({"fewshot", "in", "--shots", "2", "--out", "fs"});
  EXPECT_EQ(again.status, 10);
  EXPECT_THAT(again.err, HasSubstr("fs/2: is there and not an empty folder"));
  EXPECT_EQ(data({"fewshot", "in", "--shots", "2", "--format", "pt", "--out", "pt"}).status, 0);
  // K float32 tensors of 3 x 240 x 240, and little else.
  EXPECT_NEAR(static_cast<double>(fs::file_size(path("pt/2/cable.pt"))), 2 * 3 * 240 * 240 * 4,
              4096);
}

TEST_F(DataCommand, MasksAreMadeOnceAndABadPictureIsNamed) {
  write_file(path("in/cable/good/text.png"), std::as_bytes(std::span("Dear customer")));
  const auto first = data({"masks", "in", "--out", "maps"});
  EXPECT_EQ(first.status, 3);
  EXPECT_THAT(first.err, HasSubstr("in/cable/good/text.png: not an image"));
  EXPECT_THAT(first.out, HasSubstr("maps: 12 region maps made, 0 were there"));
  EXPECT_TRUE(fs::exists(path("maps/bottle/good/0005.png")));
  EXPECT_FALSE(fs::exists(path("maps/bottle/bad")));
  fs::remove(path("in/cable/good/text.png"));
  const auto all = json({"masks", "in", "--out", "maps", "--split", "all"});
  EXPECT_EQ(all.at("written"), 4);
  EXPECT_EQ(all.at("kept"), 12);
  EXPECT_EQ(json({"masks", "in", "--out", "compat", "--compat"}).at("written"), 12);
  EXPECT_EQ(read_image(path("compat/bottle/good/0000.png")).height_px, 224);
}

TEST_F(DataCommand, RealDataHaveNoProblem) {
  const auto real = fs::path(CADENZA_SOURCE) / "../shared/data/real";
  if (!fs::exists(real)) GTEST_SKIP() << "skipped: no ../shared";
  const auto checked = json({"check", fs::canonical(real).string()});
  EXPECT_EQ(checked.at("problems"), 0);
  EXPECT_EQ(checked.at("datasets")[0].at("images"), 631 + 200 + 360);  // README.md there
}

}  // namespace
}  // namespace cadenza
