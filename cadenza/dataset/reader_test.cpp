#include <algorithm>
#include <filesystem>
#include <string>

#include "tests/support/error_of.h"
#include "tests/support/temporary_folder.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/base/file.h"
#include "cadenza/dataset/csv_table.h"
#include "cadenza/dataset/layout.h"
#include "cadenza/image/encode.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

/// Files below a temporary folder; readers look at names alone, so that most are empty.
class ReadDataset : public testing::Test {
 protected:
  fs::path root() const { return folder_.path(); }
  void put(const std::string& file, std::string_view text = "") const {
    fs::create_directories((root() / file).parent_path());
    write_file(root() / file, std::as_bytes(std::span(text)));
  }
  void put_mask(const std::string& file, std::vector<std::uint8_t> pixels) const {
    fs::create_directories((root() / file).parent_path());
    const auto width = std::ssize(pixels);
    write_file(
        root() / file,
        encode_png(
            {.height_px = 1, .width_px = width, .n_channels = 1, .pixels = std::move(pixels)}));
  }
  void put_mvtec_task(const std::string& task) const {
    put(task + "/train/good/000.png");
    put(task + "/test/good/000.png");
    put(task + "/test/crack/000.png");
    put(task + "/ground_truth/crack/000_mask.png");
  }
  static const Sample& find(const Dataset& dataset, const fs::path& file) {
    const auto found = std::ranges::find(dataset.samples, file, &Sample::file);
    if (found == dataset.samples.end()) throw std::runtime_error("no sample " + file.string());
    return *found;
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(ReadDataset, MvtecTreeByTaskSplitDefectAndFile) {
  put_mvtec_task("nut");
  put_mvtec_task("bolt");
  put("bolt/test/crack/001.bmp");
  put("bolt/ground_truth/crack/009.png");
  put("bolt/test/crack/notes.txt");
  put("readme.txt");
  put("empty_task/train/nothing.png");
  const auto dataset = read_dataset(root());
  EXPECT_EQ(dataset.layout, "mvtec");
  EXPECT_THAT(dataset.tasks, ElementsAre("bolt", "nut"));
  EXPECT_EQ(dataset.samples.size(), 7);
  const auto& crack = find(dataset, root() / "nut/test/crack/000.png");
  EXPECT_TRUE(crack.is_defect);
  EXPECT_EQ(crack.defect_type, "crack");
  EXPECT_EQ(crack.split, Split::kTest);
  ASSERT_EQ(crack.masks.size(), 1);
  EXPECT_EQ(crack.masks[0].path, root() / "nut/ground_truth/crack/000_mask.png");
  EXPECT_EQ(find(dataset, root() / "nut/train/good/000.png").split, Split::kTrain);
  EXPECT_THAT(dataset.notes, Contains(HasSubstr("001.bmp: has no mask")));
  EXPECT_THAT(dataset.notes, Contains(HasSubstr("009.png: a mask without an image")));
  EXPECT_THAT(dataset.notes, Contains(HasSubstr("1 loose file ignored (notes.txt)")));
  EXPECT_THAT(dataset.notes, Contains(HasSubstr("empty_task: has no train/good")));
}

TEST_F(ReadDataset, ARootThatIsOneTaskIsNamedAfterItsFolder) {
  put_mvtec_task("nut");
  EXPECT_THAT(read_dataset(root() / "nut").tasks, ElementsAre("nut"));
  EXPECT_THAT(read_dataset(root() / "nut/").tasks, ElementsAre("nut"));
}

TEST_F(ReadDataset, LinkedFoldersAreFollowedAndLoopsAreNotes) {
  put_mvtec_task("elsewhere/nut");
  fs::create_directories(root() / "data");
  fs::create_directory_symlink(root() / "elsewhere/nut", root() / "data/bolt");
  fs::create_directory_symlink(root() / "data", root() / "data/loop");
  const auto dataset = read_dataset(root() / "data");
  EXPECT_THAT(dataset.tasks, ElementsAre("bolt"));
  EXPECT_THAT(dataset.notes, Contains(HasSubstr("loop: a link back to a folder above it")));
}

TEST_F(ReadDataset, LocoHasSeveralMasksAndSaturations) {
  put("box/train/good/000.png");
  put("box/validation/good/000.png");
  put("box/test/logical_anomalies/000.png");
  put_mask("box/ground_truth/logical_anomalies/000/000.png", {0, 255, 255, 255, 255});
  put_mask("box/ground_truth/logical_anomalies/000/001.png", {7, 7, 7, 0, 0});
  put("box/defects_config.json",
      R"([{"defect_name": "a", "pixel_value": 255, "saturation_threshold": 3,
           "relative_saturation": false},
          {"defect_name": "b", "pixel_value": 7, "saturation_threshold": 0.7,
           "relative_saturation": true}])");
  const auto dataset = read_dataset(root());
  EXPECT_EQ(dataset.layout, "loco");
  EXPECT_EQ(find(dataset, root() / "box/validation/good/000.png").split, Split::kValidation);
  const auto& masks = find(dataset, root() / "box/test/logical_anomalies/000.png").masks;
  ASSERT_EQ(masks.size(), 2);
  EXPECT_EQ(masks[0].saturation_px, 3);
  EXPECT_EQ(masks[1].saturation_px, 2);  // int(0.7 * 3)
}

TEST_F(ReadDataset, LocoErrorsNameTheFile) {
  put("box/train/good/000.png");
  put("box/test/logical_anomalies/000.png");
  put_mask("box/ground_truth/logical_anomalies/000/000.png", {0, 255, 7});
  put("box/defects_config.json", "[]");
  EXPECT_THAT(error_of([&] { read_dataset(root()); }).what(),
              HasSubstr("000.png: expected one grey value above 0, found 255 and 7"));
  put("box/defects_config.json", R"([{"pixel_value": 1}])");
  EXPECT_THAT(error_of([&] { read_dataset(root()); }).what(), HasSubstr("saturation_threshold"));
  put("box/defects_config.json", R"({})");
  EXPECT_THAT(error_of([&] { read_dataset(root()); }).what(), HasSubstr("a list of defects"));
}

TEST_F(ReadDataset, VisaAsPublished) {
  put("split_csv/1cls.csv",
      "object,split,label,image,mask\n"
      "candle,train,normal,candle/Data/Images/Normal/0.JPG,\n"
      "candle,test,anomaly,candle/Data/Images/Anomaly/0.JPG,candle/Data/Masks/Anomaly/0.png\n");
  put("candle/Data/Images/Normal/0.JPG");
  put("candle/Data/Images/Anomaly/0.JPG");
  EXPECT_EQ(error_of([&] { read_dataset(root()); }).code(), ErrorCode::kNotFound);
  put("candle/Data/Masks/Anomaly/0.png");
  const auto dataset = read_dataset(root());
  EXPECT_EQ(dataset.layout, "visa");
  EXPECT_THAT(dataset.tasks, ElementsAre("candle"));
  ASSERT_EQ(dataset.samples.size(), 2);
  EXPECT_EQ(dataset.samples[0].split, Split::kTrain);
  EXPECT_EQ(dataset.samples[1].masks.size(), 1);
}

TEST_F(ReadDataset, JsonLinesOfUniAd) {
  put("images/nut/train/good/0.png");
  put("images/nut/test/crack/1.png");
  put("images/nut/ground_truth/crack/1_mask.png");
  put("train.json",
      R"({"filename": "nut/train/good/0.png", "label": 0, "label_name": "good", "clsname": "nut"})"
      "\n\n");
  put("test.json", R"({"filename": "nut/test/crack/1.png", "label": 1, "label_name": "defective",)"
                   R"( "maskname": "nut/ground_truth/crack/1_mask.png"})");
  const auto dataset = read_dataset(root(), "jsonl");
  EXPECT_THAT(dataset.tasks, ElementsAre("nut"));
  ASSERT_EQ(dataset.samples.size(), 2);
  EXPECT_EQ(dataset.samples[0].split, Split::kTrain);
  EXPECT_EQ(dataset.samples[1].defect_type, "crack");
  EXPECT_EQ(dataset.samples[1].masks.size(), 1);
  EXPECT_EQ(read_dataset(root() / "test.json").layout, "jsonl");
  put("test.json", R"({"filename": "nut/test/crack/2.png", "label": 1})");
  EXPECT_THAT(error_of([&] { read_dataset(root(), "jsonl"); }).what(),
              HasSubstr("test.json: names nut/test/crack/2.png"));
  put("test.json", R"({"filename": 3, "label": 1})");
  EXPECT_THAT(error_of([&] { read_dataset(root(), "jsonl"); }).what(),
              HasSubstr("test.json: line 1"));
}

TEST_F(ReadDataset, ListsOfInCtrl) {
  put("nut/train/good/0.png");
  put("nut/test/crack/1.png");
  put("AD_json/nut_normal.json",
      R"([{"image_path": "nut/train/good/0.png", "target": 0, "type": "nut"}])");
  put("AD_json/nut_outlier.json",
      R"([{"image_path": "nut/test/crack/1.png", "target": 1, "type": "nut"}])");
  const auto dataset = read_dataset(root() / "AD_json");
  EXPECT_EQ(dataset.layout, "inctrl");
  ASSERT_EQ(dataset.samples.size(), 2);
  EXPECT_EQ(dataset.samples[0].split, Split::kTrain);
  EXPECT_TRUE(dataset.samples[1].is_defect);
  put("AD_json/nut_outlier.json", R"([{"image_path": "no.png", "target": 1, "type": "nut"}])");
  EXPECT_THAT(error_of([&] { read_dataset(root() / "AD_json"); }).what(),
              HasSubstr("nut_outlier.json: names no.png"));
}

TEST_F(ReadDataset, PlainFoldersOfOneTaskOrMany) {
  put("mug/good/0.png");
  put("mug/bad/0.png");
  put("mug/bad/1.png");
  put("mug/masks/1_mask.png");
  put("mug/other/5.png");
  put("cup/OK/0.jpg");
  put("cup/test/NG/7.jpg");
  const auto dataset = read_dataset(root());
  EXPECT_EQ(dataset.layout, "folder");
  EXPECT_THAT(dataset.tasks, ElementsAre("cup", "mug"));
  EXPECT_EQ(find(dataset, root() / "mug/bad/1.png").masks.size(), 1);
  EXPECT_EQ(find(dataset, root() / "mug/bad/1.png").split, Split::kTest);
  EXPECT_TRUE(find(dataset, root() / "cup/test/NG/7.jpg").is_defect);
  EXPECT_THAT(dataset.notes, Contains(HasSubstr("other: neither normals")));
  EXPECT_THAT(read_dataset(root() / "mug/good").tasks, ElementsAre("good"));
}

TEST_F(ReadDataset, CsvWithQuotesAndSeveralMasks) {
  put("a, b.png");
  put("m1.png");
  put("m2.png");
  put("list.csv", "file,split,label,mask\r\n\"a, b.png\",test,bad,m1.png;m2.png\r\n");
  const auto dataset = read_dataset(root() / "list.csv");
  EXPECT_EQ(dataset.layout, "csv");
  EXPECT_THAT(dataset.tasks, ElementsAre("list"));
  EXPECT_EQ(dataset.samples[0].masks.size(), 2);
  put("list.csv", "file,split,label\nm1.png,training,good\n");
  EXPECT_THAT(error_of([&] { read_dataset(root() / "list.csv"); }).what(),
              HasSubstr("found 'training'"));
  put("list.csv", "file,split,label\nm1.png,test,maybe\n");
  EXPECT_THAT(error_of([&] { read_dataset(root() / "list.csv"); }).what(),
              HasSubstr("found 'maybe'"));
  put("list.csv", "file,split\nm1.png,test\n");
  EXPECT_THAT(error_of([&] { read_dataset(root() / "list.csv"); }).what(),
              HasSubstr("no column 'label'"));
}

TEST_F(ReadDataset, WhatIsNoDataSetSaysWhatWasLookedFor) {
  EXPECT_EQ(error_of([&] { read_dataset(root() / "no"); }).code(), ErrorCode::kNotFound);
  const auto error = error_of([&] { read_dataset(root()); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("mvtec (TASK/train/good"));
  EXPECT_EQ(error_of([&] { read_dataset(root(), "mvtek"); }).code(), ErrorCode::kNotFound);
  put("nut/train/good/readme.txt");
  EXPECT_THAT(error_of([&] { read_dataset(root()); }).what(), HasSubstr("no image in layout"));
}

TEST(ParseCsv, FieldsLinesAndTheirErrors) {
  const auto table = parse_csv(
      "\xEF\xBB\xBF"
      "a,b\n1,\"x \"\"y\"\"\"\n\n2,\n",
      "t");
  EXPECT_THAT(table.columns, ElementsAre("a", "b"));
  ASSERT_EQ(table.rows.size(), 2);
  EXPECT_EQ(table.rows[0].at("b"), "x \"y\"");
  EXPECT_EQ(table.rows[1].at("b"), "");
  const auto message = [](std::string_view text) {
    return std::string(error_of([&] { parse_csv(text, "t"); }).what());
  };
  EXPECT_THAT(message("a,b\n1\n"), HasSubstr("t: line 2: expected 2 fields, found 1"));
  EXPECT_THAT(message("a,a\n"), HasSubstr("column 'a' stands there twice"));
  EXPECT_THAT(message("a\n\"x"), HasSubstr("a quote that does not end"));
  EXPECT_THAT(message("a\n\"x\"y"), HasSubstr("behind a quoted field"));
  EXPECT_TRUE(parse_csv("", "t").rows.empty());
}

}  // namespace
}  // namespace cadenza
