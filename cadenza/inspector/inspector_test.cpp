#include "cadenza/inspector/inspector.h"

#include <algorithm>
#include <set>

#include "tests/support/error_of.h"
#include "tests/support/photos.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/toy_methods.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/base/digest.h"
#include "cadenza/inspector/model_directory.h"
#include "cadenza/inspector/score_image.h"
#include "cadenza/memory/conformal.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// toy_colour as another build would have it.
MethodRegistry methods_with(const std::function<void(MethodInfo&)>& change) {
  MethodRegistry registry;
  MethodEntry entry = toy_methods().find("toy_colour");
  entry.make = [change](const Options& options, const NetworkEnvironment&) {
    auto info = ColourMethod::facts(options.flag("calibrates"));
    change(info);
    return std::make_unique<ColourMethod>(info);
  };
  registry.add(entry);
  return registry;
}

class InspectorTest : public ::testing::Test {
 protected:
  Inspector open() { return Inspector::open(model_, {.methods = &methods_}); }
  Inspector open_or_create(const ModelSettings& settings = {.method = "toy_colour"}) {
    return Inspector::open_or_create(model_, settings, {.methods = &methods_});
  }
  TrainRequest request(const Product& product, int n_photos = 30) {
    const auto folder = folder_.path() / product.name;
    if (!fs::exists(folder)) write_photos(folder, product, n_photos);
    return {.task = product.name, .normal = {folder}};
  }
  fs::path photo(const Product& product, std::uint64_t seed, bool has_defect = false) {
    const auto file = folder_.path() / cat(product.name, seed, has_defect, ".png");
    write_file_atomic(file, encode_png(photo_of(product, seed, {.has_defect = has_defect})));
    return file;
  }
  /// Every byte below the model directory.
  std::string bytes() const {
    std::set<std::string> files;
    if (!fs::exists(model_)) return "none";
    for (const auto& entry : fs::recursive_directory_iterator(model_)) {
      if (!entry.is_regular_file()) continue;
      files.insert(cat(entry.path().string(), " ", sha256_hex(read_file(entry.path()))));
    }
    std::string all;
    for (const auto& file : files) all += file + "\n";
    return all;
  }
  static std::string timeless(const Verdict& verdict) {
    Json json = to_json(verdict);
    json.erase("milliseconds");
    return json.dump();
  }

  TemporaryFolder folder_;
  fs::path model_ = folder_.path() / "line";
  MethodRegistry methods_ = toy_methods();
};

TEST_F(InspectorTest, LearnsOneProductAfterAnotherAndJudgesThemAll) {
  auto line = open_or_create();
  EXPECT_FALSE(fs::exists(model_));
  EXPECT_EQ(line.predict(photo(kBottle, 100)).label, Label::kUnknown);
  const auto report = line.train(request(kBottle));
  EXPECT_EQ(report.generation, 1);
  EXPECT_EQ(report.task.n_images, 30);
  EXPECT_EQ(report.task.threshold.source, ThresholdSource::kLeftOut);
  EXPECT_TRUE(report.task.threshold.is_certified);
  EXPECT_THAT(report.notes, IsEmpty());
  EXPECT_EQ(line.train(request(kCable)).generation, 2);
  ASSERT_EQ(line.tasks().size(), 2);
  EXPECT_EQ(line.tasks()[1].id, 1);

  int n_flagged = 0;
  for (const auto& product : {kBottle, kCable}) {
    for (std::uint64_t seed = 100; seed < 120; ++seed) {
      const auto verdict = line.predict(photo(product, seed));
      EXPECT_EQ(verdict.task, product.name);
      n_flagged += verdict.label != Label::kNormal;
    }
    const auto verdict = line.predict(photo(product, 100, true));
    EXPECT_EQ(verdict.label, Label::kDefect) << product.name;
    ASSERT_FALSE(verdict.regions.empty());
    EXPECT_GE(verdict.regions[0].x + verdict.regions[0].width, 31);  // the lower right quarter
    EXPECT_EQ(verdict.map.height_px, 24);
  }
  EXPECT_LE(n_flagged, 8);                    // of 40, at a target of 5 %
  const Product snow{"snow", 235, 230, 235};  // never taught
  EXPECT_EQ(line.predict(photo(snow, 1)).label, Label::kUnknown);
}

TEST_F(InspectorTest, AnotherProcessSeesTheSame) {
  auto line = open_or_create();
  line.train(request(kBottle));
  line.train(request(kCable));
  const auto again = open();
  EXPECT_EQ(again.manifest()->digest(), line.manifest()->digest());
  for (const bool has_defect : {false, true}) {
    const auto file = photo(kCable, 100, has_defect);
    EXPECT_EQ(timeless(again.predict(file)), timeless(line.predict(file)));
    EXPECT_EQ(timeless(again.predict(read_file(file), "x")), timeless(line.predict(file)));
  }
  EXPECT_EQ(timeless(again.predict(photo(kCable, 100), {.task = "bottle"})),
            timeless(line.predict(photo(kCable, 100), {.task = "bottle"})));
  EXPECT_EQ(again.predict(photo(kCable, 100), {.task = "bottle"}).label, Label::kDefect);
}

TEST_F(InspectorTest, TheSameImagesAndSeedGiveTheSameState) {
  const auto state_of = [&](const std::string& name) {
    auto line =
        Inspector::create(folder_.path() / name, {.method = "toy_linear"}, {.methods = &methods_});
    line.train(request(kBottle));
    return line.manifest()->current().shared;
  };
  EXPECT_EQ(state_of("one"), state_of("two"));
}

TEST_F(InspectorTest, ThresholdIsThatOfTheMethodsLeftOutScores) {
  auto line = open_or_create();
  auto how = request(kBottle);
  how.target_fpr = 0.2;
  const auto report = line.train(how);
  const auto known = line.method().calibration(0);
  EXPECT_EQ(report.task.threshold.value, threshold_for(known->scores, 0.2)->value);
  EXPECT_EQ(report.task.reject_above, 50);
  const auto verdict = line.predict(photo(kBottle, 100));
  EXPECT_EQ(verdict.p_value, p_value(known->scores, *verdict.score));
}

TEST_F(InspectorTest, EveryFifthNormalIsHeldBackWhereTheMethodDoesNotCalibrate) {
  auto line = open_or_create({.method = "toy_colour", .options = {{"calibrates", "false"}}});
  const auto report = line.train(request(kBottle));
  EXPECT_EQ(report.task.n_images, 24);
  ASSERT_EQ(report.held_back.size(), 6);
  EXPECT_THAT(report.held_back[0], HasSubstr("bottle/0004.png"));
  EXPECT_EQ(report.task.threshold.source, ThresholdSource::kHeldBack);
  EXPECT_EQ(report.task.threshold.n_normals, 6);
  EXPECT_THAT(report.notes, Contains(HasSubstr("6 normals cannot certify a false alarm rate of "
                                               "0.05, 19 can")));
  // The threshold is that of the scores which the held-back images get now.
  std::vector<float> scores;
  for (const auto& file : report.held_back) {
    scores.push_back(static_cast<float>(*line.predict(fs::path(file), {.task = "bottle"}).score));
  }
  EXPECT_EQ(report.task.threshold.value, threshold_for(scores, 0.05)->value);

  // They stay with the task, through a restart and the next training.
  line.train(request(kCable));
  const auto again = open();
  EXPECT_EQ(again.calibrations()[0].normal_scores, scores);
  EXPECT_TRUE(again.predict(photo(kBottle, 100)).p_value.has_value());
}

TEST_F(InspectorTest, FewNormalsAreLearnedWithAWarning) {
  auto line = open_or_create();
  const auto report = line.train(request(kBottle, 1));
  EXPECT_FALSE(report.task.threshold.value.has_value());
  EXPECT_THAT(report.notes, Contains(HasSubstr("one normal image only")));
  EXPECT_THAT(report.notes, Contains(HasSubstr("no threshold: 1 normals")));
  EXPECT_EQ(line.predict(photo(kBottle, 100)).label, Label::kUnknown);
  EXPECT_EQ(line.predict(photo(kBottle, 100)).task, "bottle");
}

TEST_F(InspectorTest, SkippedFilesAndCopiesAreNoted) {
  const auto how = request(kBottle);
  write_file_atomic(folder_.path() / "bottle" / "notes.txt", "x");
  fs::copy(folder_.path() / "bottle" / "0003.png", folder_.path() / "bottle" / "copy.png");
  auto line = open_or_create();
  const auto report = line.train(how);
  EXPECT_EQ(report.task.n_images, 30);
  EXPECT_THAT(report.notes, Contains(HasSubstr("1 files are no images by their names")));
  EXPECT_THAT(report.notes, Contains(HasSubstr("copy.png: the same content as ")));
}

TEST_F(InspectorTest, WhatCannotBeLearnedLeavesEverythingAsItWas) {
  auto line = open_or_create();
  line.train(request(kBottle));
  const std::string before = bytes();
  const auto verdict = timeless(line.predict(photo(kBottle, 100, true)));
  const auto refused = [&](const TrainRequest& how, ErrorCode code, const std::string& message) {
    const Error error = error_of([&] { line.train(how); });
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(message));
    EXPECT_EQ(bytes(), before) << message;
    EXPECT_EQ(timeless(line.predict(photo(kBottle, 100, true))), verdict) << message;
  };
  refused(request(kBottle), ErrorCode::kInvalidArgument, "'bottle': the name is taken");
  refused({.task = "a/b"}, ErrorCode::kInvalidArgument, "task name 'a/b'");
  refused({.task = "x", .normal = {}}, ErrorCode::kInvalidArgument, "no path of normal images");
  fs::create_directory(folder_.path() / "empty");
  refused({.task = "x", .normal = {folder_.path() / "empty"}}, ErrorCode::kInvalidArgument,
          "empty: no image is there");
  refused({.task = "x", .normal = {folder_.path() / "absent"}}, ErrorCode::kNotFound,
          "absent: no such file or folder");
  auto target = request(kCable);
  target.target_fpr = 0.6;
  refused(target, ErrorCode::kInvalidArgument, "(0, 0.5]");
  write_file_atomic(folder_.path() / "cable" / "0007.png", "Dear customer");
  refused(request(kCable), ErrorCode::kCorruptData, "0007.png: not an image: starts with 'Dear");
  write_file_atomic(folder_.path() / "cable" / "0007.png", "");
  refused(request(kCable), ErrorCode::kCorruptData, "0007.png: not an image: the file is empty");
  fs::remove(folder_.path() / "cable" / "0007.png");

  std::stop_source stop;
  stop.request_stop();
  auto stopped = request(kCable);
  stopped.stop = stop.get_token();
  refused(stopped, ErrorCode::kCancelled, "stopped");
  EXPECT_EQ(line.train(request(kCable)).generation, 2);  // and it goes on
}

TEST_F(InspectorTest, AFailedFirstTrainingLeavesNoFolder) {
  auto line = open_or_create();
  EXPECT_EQ(error_of([&] { line.train({.task = "x", .normal = {}}); }).code(),
            ErrorCode::kInvalidArgument);
  EXPECT_FALSE(fs::exists(model_));
  EXPECT_EQ(line.train(request(kBottle)).generation, 1);
}

TEST_F(InspectorTest, TooFewImagesForTheMethodAreRefused) {
  methods_ = methods_with([](MethodInfo& info) { info.min_images = 10; });
  auto line = open_or_create();
  const Error error = error_of([&] { line.train(request(kBottle, 9)); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("9 different normal images to learn, method 'toy_colour' "
                                      "needs at least 10"));
}

TEST_F(InspectorTest, TwoWritersAtOnceAreOneTooMany) {
  auto line = open_or_create();
  line.train(request(kBottle));
  const std::string before = bytes();
  const ModelDirectory directory(model_);
  {
    const ModelWriter other(directory);
    const Error error = error_of([&] { line.train(request(kCable)); });
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    EXPECT_THAT(error.what(), HasSubstr("another process is changing this model"));
    EXPECT_EQ(line.predict(photo(kBottle, 100)).task, "bottle");
  }
  EXPECT_EQ(bytes(), before);
}

TEST_F(InspectorTest, ChangesOfOthersAreBuiltUponNotOverwritten) {
  auto line = open_or_create();
  line.train(request(kBottle));
  auto other = open();
  other.train(request(kCable));
  other.set_threshold("bottle", 99);
  EXPECT_EQ(line.tasks().size(), 1);
  line.train(request(kNut));
  ASSERT_EQ(line.tasks().size(), 3);
  EXPECT_EQ(line.tasks()[0].threshold.value, 99);
  EXPECT_EQ(other.tasks().size(), 2);
  other.refresh();
  EXPECT_EQ(other.tasks().size(), 3);
  EXPECT_EQ(error_of([&] { other.train(request(kNut)); }).code(), ErrorCode::kInvalidArgument);
}

TEST_F(InspectorTest, AModelKeepsItsMethodAndItsOptions) {
  open_or_create().train(request(kBottle));
  EXPECT_EQ(open_or_create({}).tasks().size(), 1);
  EXPECT_EQ(
      open_or_create({.method = "toy_colour", .options = {{"calibrates", "yes"}}}).tasks().size(),
      1);
  const auto message = [&](const ModelSettings& settings) {
    const Error error = error_of([&] { open_or_create(settings); });
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return std::string(error.what());
  };
  EXPECT_THAT(message({.method = "toy_linear"}),
              HasSubstr("method 'toy_colour', not 'toy_linear'"));
  EXPECT_THAT(message({.options = {{"calibrates", "false"}}}),
              HasSubstr("was made with calibrates="));
  EXPECT_THAT(message({.options = {{"calibrate", "false"}}}), HasSubstr("did you mean"));
  const Error error = error_of(
      [&] { Inspector::create(model_, {.method = "toy_colour"}, {.methods = &methods_}); });
  EXPECT_THAT(error.what(), HasSubstr("there is a model already"));
}

TEST_F(InspectorTest, AnUnknownMethodOrNoModelIsSaid) {
  EXPECT_EQ(error_of([&] { open_or_create({.method = "toy_color"}); }).code(),
            ErrorCode::kNotFound);
  EXPECT_THAT(error_of([&] { open(); }).what(), HasSubstr("no model there"));
}

TEST_F(InspectorTest, AModelOfAnotherFingerprintOrStateVersionIsRefused) {
  open_or_create().train(request(kBottle));
  const std::string before = bytes();
  methods_ = methods_with([](MethodInfo& info) { info.fingerprint = "toy:bf16"; });
  Error error = error_of([&] { open(); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.what(), HasSubstr("was trained with toy, here images would be seen by "
                                      "toy:bf16; the two must not be mixed"));
  EXPECT_THAT(error.what(), HasSubstr("train it anew"));
  EXPECT_EQ(error_of([&] { open_or_create(); }).code(), ErrorCode::kUnsupported);

  methods_ = methods_with([](MethodInfo& info) { info.state_version = 2; });
  error = error_of([&] { open(); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.what(),
              HasSubstr("state version 1 of method 'toy_colour', this program reads 2"));
  EXPECT_EQ(bytes(), before);
}

TEST_F(InspectorTest, UndoGivesTheEarlierVerdictsBack) {
  auto line = open_or_create({.method = "toy_linear"});
  line.train(request(kBottle));
  const auto file = photo(kBottle, 100, true);
  const auto before = timeless(line.predict(file));
  line.train(request(kCable));
  const auto between = timeless(line.predict(file, {.task = "bottle"}));
  EXPECT_NE(between, before);  // parameters are shared
  EXPECT_EQ(error_of([&] { line.undo_task("bottle"); }).code(), ErrorCode::kUnsupported);
  line.undo();
  EXPECT_EQ(timeless(line.predict(file)), before);
  EXPECT_EQ(timeless(open().predict(file)), before);
}

TEST_F(InspectorTest, UndoOfOneIsolatedTask) {
  auto line = open_or_create();
  line.train(request(kBottle));
  line.train(request(kCable));
  line.undo_task("bottle");
  ASSERT_EQ(line.tasks().size(), 1);
  EXPECT_EQ(line.tasks()[0].name, "cable");
  EXPECT_EQ(line.predict(photo(kBottle, 100)).task, "cable");
  EXPECT_EQ(line.train(request(kBottle)).task.id, 2);  // never used again
}

TEST_F(InspectorTest, TargetsAndThresholdsChangeWithoutImages) {
  auto line = open_or_create();
  line.train(request(kBottle));
  fs::remove_all(folder_.path() / "bottle");
  const auto scores = line.method().calibration(0)->scores;
  line.set_target_fpr("bottle", 0.2);
  EXPECT_EQ(line.tasks()[0].threshold.value, threshold_for(scores, 0.2)->value);
  line.set_threshold("bottle", 1e6);
  EXPECT_EQ(line.predict(photo(kBottle, 100, true)).label, Label::kNormal);
  line.set_target_fpr("bottle", 0.1);
  EXPECT_EQ(line.tasks()[0].threshold.source, ThresholdSource::kLeftOut);
  EXPECT_EQ(line.tasks()[0].threshold.target_fpr, 0.1);
  EXPECT_EQ(error_of([&] { line.set_target_fpr("bottle", 0); }).code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { line.set_target_fpr("cable", 0.1); }).code(), ErrorCode::kNotFound);
}

TEST_F(InspectorTest, RenameAndPrune) {
  auto line = open_or_create();
  line.train(request(kBottle));
  line.rename_task("bottle", "flask");
  EXPECT_EQ(line.predict(photo(kBottle, 100)).task, "flask");
  EXPECT_EQ(line.prune(), 0);  // renaming makes no piece
  EXPECT_EQ(line.manifest()->history.size(), 1);
}

TEST_F(InspectorTest, ADamagedPieceIsNamedAndTheDirectoryLeftAlone) {
  open_or_create().train(request(kBottle));
  const auto piece =
      model_ / "state" /
      (ModelDirectory(model_).read_manifest().current().tasks[0].state.sha256 + ".safetensors");
  auto content = read_file(piece);
  content.back() ^= std::byte{1};
  write_file_atomic(piece, content);
  const std::string before = bytes();
  const Error error = error_of([&] { open(); });
  EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
  EXPECT_THAT(error.what(), HasSubstr("damaged or swapped"));
  EXPECT_EQ(bytes(), before);
}

TEST_F(InspectorTest, PredictingWritesNothing) {
  auto line = open_or_create();
  line.train(request(kBottle));
  const std::string before = bytes();
  const auto reader = open();
  reader.predict(photo(kBottle, 100));
  EXPECT_EQ(error_of([&] { reader.predict(folder_.path() / "none.png"); }).code(),
            ErrorCode::kNotFound);
  EXPECT_EQ(error_of([&] { reader.predict(photo(kBottle, 1), {.task = "x"}); }).code(),
            ErrorCode::kNotFound);
  EXPECT_EQ(bytes(), before);
}

}  // namespace
}  // namespace cadenza
