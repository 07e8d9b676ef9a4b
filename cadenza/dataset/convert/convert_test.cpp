#include <fstream>

#include "tests/support/error_of.h"
#include "tests/support/photos.h"
#include "tests/support/temporary_folder.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/base/digest.h"
#include "cadenza/base/json.h"
#include "cadenza/dataset/convert/few_shot.h"
#include "cadenza/dataset/convert/list_files.h"
#include "cadenza/dataset/convert/mvtec_tree.h"
#include "cadenza/dataset/layout.h"
#include "cadenza/dataset/preprocess.h"
#include "cadenza/image/decode.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Image mask_of(std::int64_t x, std::uint8_t value) {
  Image mask{24, 32, 1, {}};
  mask.pixels.assign(24 * 32, 0);
  mask.pixels[static_cast<std::size_t>(x)] = value;
  return mask;
}

class Convert : public testing::Test {
 protected:
  const fs::path& root() const { return folder_.path(); }
  void put(const std::string& file, std::span<const std::byte> bytes) const {
    fs::create_directories((root() / file).parent_path());
    write_file(root() / file, bytes);
  }
  void put(const std::string& file, std::string_view text) const {
    put(file, std::as_bytes(std::span(text)));
  }
  /// Two products in the plain-folder layout, one with masks.
  void put_products() const {
    write_photos(root() / "in/bottle/good", kBottle, 6);
    write_photos(root() / "in/bottle/bad", kBottle, 2, 20, {.has_defect = true});
    put("in/bottle/masks/0000.png", encode_png(mask_of(3, 1)));
    put("in/bottle/masks/0001.png", encode_png(mask_of(5, 7)));
    write_photos(root() / "in/nut with, comma/good", kNut, 5);
  }
  /// What a data set says, without where it lies.
  static std::vector<std::string> facts(const Dataset& dataset) {
    std::vector<std::string> all;
    for (const auto& sample : dataset.samples) {
      std::int64_t n_defect = 0;
      for (const auto& mask : sample.masks) {
        for (const auto value : read_image(mask.path, {.min_side_px = 1}).pixels) {
          n_defect += value > 0 ? 1 : 0;
        }
      }
      all.push_back(cat(sample.task, " ", static_cast<int>(sample.split), " ", sample.is_defect,
                        " ", sample.file.filename().string(), " ", n_defect, " ",
                        sha256_hex(read_file(sample.file))));
    }
    return all;
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(Convert, AnMvtecTreeSaysTheSameAsItsSource) {
  put_products();
  const auto source = read_dataset(root() / "in");
  EXPECT_EQ(source.layout, "folder");
  for (const auto transfer : {Transfer::kCopy, Transfer::kLink}) {
    const auto out = root() / (transfer == Transfer::kCopy ? "copied" : "linked");
    const auto report = write_mvtec_tree(source, out, transfer);
    EXPECT_EQ(report.n_images, 13);
    EXPECT_EQ(report.n_masks, 2);
    EXPECT_THAT(report.notes, IsEmpty());
    const auto written = read_dataset(out);
    EXPECT_EQ(written.layout, "mvtec");
    EXPECT_THAT(written.notes, IsEmpty());
    EXPECT_EQ(facts(written), facts(source));
    EXPECT_EQ(fs::is_symlink(out / "bottle/train/good/0000.png"), transfer == Transfer::kLink);
    EXPECT_EQ(read_image(out / "bottle/ground_truth/bad/0001_mask.png").pixels[5], 255);
  }
}

TEST_F(Convert, SeveralMasksBecomeOneAndTakenNamesGetANumber) {
  for (const std::string folder : {"a", "b"}) {
    put(folder + "/0.png", encode_png(photo_of(kBottle, 1, {.has_defect = true})));
  }
  put("m/0.png", encode_png(mask_of(3, 1)));
  put("m/1.png", encode_png(mask_of(9, 2)));
  put("list.csv",
      "file,split,label,task,defect_type,mask\n"
      "a/0.png,test,bad,nut,crack,m/0.png;m/1.png\n"
      "b/0.png,test,bad,nut,crack,\n"
      "b/0.png,train,bad,nut,crack,\n");
  const auto report =
      write_mvtec_tree(read_dataset(root() / "list.csv"), root() / "out", Transfer::kCopy);
  EXPECT_EQ(report.n_images, 2);
  EXPECT_THAT(report.notes, Contains(HasSubstr("b/0.png: written as 0-2.png, the name was taken")));
  EXPECT_THAT(report.notes, Contains(HasSubstr("nut: 1 defects that are no test images")));
  const auto mask = read_image(root() / "out/nut/ground_truth/crack/0_mask.png");
  EXPECT_EQ(mask.pixels[3], 255);
  EXPECT_EQ(mask.pixels[9], 255);
  EXPECT_EQ(mask.pixels[4], 0);
}

TEST_F(Convert, WhatCannotBeConvertedIsRefusedByName) {
  put_products();
  const auto source = read_dataset(root() / "in");
  const auto taken = error_of([&] { write_mvtec_tree(source, root() / "in", Transfer::kCopy); });
  EXPECT_EQ(taken.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(taken.what(), HasSubstr("not an empty folder; name another --out"));
  put("in/bottle/masks/0001.png", encode_png({1, 2, 1, {0, 255}}));
  EXPECT_THAT(error_of([&] { write_mvtec_tree(source, root() / "a", Transfer::kCopy); }).what(),
              HasSubstr("0001.png: the mask is 2x1 pixels, its image"));
  auto odd = source;
  odd.samples.front().task = "a/b";
  EXPECT_THAT(error_of([&] { write_mvtec_tree(odd, root() / "b", Transfer::kCopy); }).what(),
              HasSubstr("its task 'a/b' cannot be the name of a folder"));
  odd = source;
  odd.samples.front().is_defect = true;
  odd.samples.front().split = Split::kTest;
  odd.samples.front().defect_type = "good";
  EXPECT_THAT(error_of([&] { write_mvtec_tree(odd, root() / "c", Transfer::kCopy); }).what(),
              HasSubstr("'good' alone holds normals"));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(error_of([&] {
              write_mvtec_tree(source, root() / "d", Transfer::kCopy, no_progress(),
                               stop.get_token());
            }).code(),
            ErrorCode::kCancelled);
}

TEST_F(Convert, ListsSayTheSameAsTheirSource) {
  put_products();
  write_mvtec_tree(read_dataset(root() / "in"), root() / "tree", Transfer::kCopy);
  const auto source = read_dataset(root() / "tree");
  for (const auto& format : list_formats()) {
    const auto out = root() / ("lists_" + format);
    fs::create_directories(out);
    for (const auto& file : make_list_files(source, format, out)) {
      write_file_atomic(out / file.name, file.text);
    }
    const auto listed = read_dataset(format == "csv" ? out / "images.csv" : out);
    auto expected = source;
    if (format == "inctrl") {  // which knows no masks
      for (auto& sample : expected.samples) sample.masks.clear();
    }
    EXPECT_EQ(facts(listed), facts(expected)) << format;
  }
}

TEST_F(Convert, UniadLinesAreThoseOfItsLists) {
  put_products();
  write_mvtec_tree(read_dataset(root() / "in"), root() / "tree", Transfer::kCopy);
  const auto files = make_list_files(read_dataset(root() / "tree"), "uniad", root() / "tree");
  std::vector<std::string> names;
  for (const auto& file : files) names.push_back(file.name);
  EXPECT_THAT(names, ElementsAre("train.json", "train_bottle.json", "train_nut with, comma.json",
                                 "test.json", "test_bottle.json"));
  EXPECT_EQ(files[0].n_images, 11);
  EXPECT_EQ(files[3].text.substr(0, files[3].text.find('\n')),
            R"({"filename":"bottle/test/bad/0000.png","label":1,"label_name":"defective",)"
            R"("maskname":"bottle/ground_truth/bad/0000_mask.png","clsname":"bottle"})");
  EXPECT_EQ(files[1].text.substr(0, files[1].text.find('\n')),
            R"({"filename":"bottle/train/good/0000.png","label":0,"label_name":"good",)"
            R"("clsname":"bottle"})");
}

TEST_F(Convert, InctrlListsHoldWhatItsProgramWritesThere) {
  put_products();
  write_mvtec_tree(read_dataset(root() / "in"), root() / "tree", Transfer::kCopy);
  const auto source = read_dataset(root() / "tree");
  std::map<std::string, Json> lists;
  for (const auto& file : make_list_files(source, "inctrl", root())) {
    lists[file.name] = parse_json(file.text, file.name);
    EXPECT_EQ(std::ssize(lists[file.name]), file.n_images);
  }
  ASSERT_THAT(lists, SizeIs(4));  // the nut has no tests
  EXPECT_THAT(lists.at("bottle_normal.json"), SizeIs(6));
  EXPECT_THAT(lists.at("bottle_outlier.json"), SizeIs(2));
  EXPECT_THAT(lists.at("bottle_val_outlier.json"), SizeIs(2));
  EXPECT_EQ(lists.at("bottle_outlier.json")[0],
            parse_json(R"({"image_path": "tree/bottle/test/bad/0000.png", "target": 1,
                           "type": "bottle"})",
                       "expected"));
}

TEST_F(Convert, WhatAListCannotHoldIsSaid) {
  Dataset dataset{.root = root(), .tasks = {"nut"}};
  dataset.samples = {{.file = root() / "0.png",
                      .task = "nut",
                      .split = Split::kTest,
                      .is_defect = true,
                      .masks = {{.path = "a;.png"}, {.path = "b.png"}}}};
  EXPECT_THAT(error_of([&] { make_list_files(dataset, "uniad", root()); }).what(),
              HasSubstr("has 2 masks, the format uniad knows one; `cadenza data convert`"));
  EXPECT_THAT(error_of([&] { make_list_files(dataset, "csv", root()); }).what(),
              HasSubstr("a ';' in the name of a mask"));
  dataset.samples[0].masks.clear();
  dataset.samples[0].task = "a\nb";
  EXPECT_THAT(error_of([&] { make_list_files(dataset, "csv", root()); }).what(),
              HasSubstr("a line break in a name"));
  const auto unknown = error_of([&] { make_list_files(dataset, "unaid", root()); });
  EXPECT_EQ(unknown.code(), ErrorCode::kNotFound);
  EXPECT_THAT(unknown.what(), HasSubstr("did you mean 'uniad'?"));
}

TEST_F(Convert, DrawsNormalsToLearnTheSmallerSetBeginningTheLarger) {
  put_products();
  const auto source = read_dataset(root() / "in");
  const auto two = draw_few_shots(source, 2, 7);
  const auto four = draw_few_shots(source, 4, 7);
  ASSERT_THAT(two, SizeIs(2));
  for (std::size_t task = 0; task < two.size(); ++task) {
    ASSERT_THAT(four[task].samples, SizeIs(4));
    for (std::size_t shot = 0; shot < 2; ++shot) {
      EXPECT_EQ(two[task].samples[shot].file, four[task].samples[shot].file);
      EXPECT_FALSE(two[task].samples[shot].is_defect);
    }
  }
  bool is_other = false;
  for (std::uint64_t seed = 8; seed < 12; ++seed) {
    is_other |= draw_few_shots(source, 2, seed)[0].samples[0].file != two[0].samples[0].file;
  }
  EXPECT_TRUE(is_other);
  EXPECT_THAT(error_of([&] { draw_few_shots(source, 6, 7); }).what(),
              HasSubstr("task 'nut with, comma' has 5 normals to learn from, 6 are asked for"));
  EXPECT_THAT(error_of([&] { draw_few_shots(source, 0, 7); }).what(), HasSubstr("at least 1"));
}

}  // namespace
}  // namespace cadenza
