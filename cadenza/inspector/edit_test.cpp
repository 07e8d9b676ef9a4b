#include "cadenza/inspector/edit.h"

#include <cmath>

#include "tests/support/error_of.h"
#include "tests/support/temporary_folder.h"
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cadenza {
namespace {

using ::testing::HasSubstr;

StatePiece piece_of(double value) {
  StatePiece piece;
  piece.tensors["bank"] = at::full({4}, value);
  return piece;
}

/// A model whose pieces are numbers: each learn() is a generation.
class EditTest : public ::testing::Test {
 protected:
  /// `shared` is what all tasks have in common after it.
  void learn(const std::string& name, double value, double shared = 0) {
    ModelWriter writer(directory_);
    Manifest manifest =
        writer.manifest().value_or(Manifest{.method = "fake", .fingerprint = "f", .history = {}});
    Generation next = manifest.history.empty() ? Generation{} : manifest.current();
    next.number = manifest.next_generation++;
    next.change = "train " + name;
    next.shared = writer.put(piece_of(shared));
    const auto found = std::ranges::find(next.tasks, name, &TaskRecord::name);
    TaskRecord task =
        found == next.tasks.end() ? TaskRecord{.id = manifest.next_task_id++} : *found;
    task.name = name;
    task.state = writer.put(piece_of(value));
    task.threshold.value = value;
    if (found == next.tasks.end()) {
      next.tasks.push_back(task);
    } else {
      *found = task;
    }
    manifest.history.push_back(next);
    writer.commit(manifest);
  }
  Manifest manifest() const { return directory_.read_manifest(); }
  const TaskRecord* task(const std::string& name) {
    current_ = manifest().current();
    return current_.find(name);
  }
  double bank_of(const std::string& name) {
    const auto id = task(name)->id;
    return directory_.read().second.tasks.at(id).tensors.at("bank")[0].item<double>();
  }

  TemporaryFolder folder_;
  ModelDirectory directory_{folder_.path() / "line"};
  Generation current_;
};

TEST_F(EditTest, RenamingLeavesEveryStateFileAlone) {
  learn("bottle", 1);
  learn("cable", 2);
  const auto before = task("bottle")->state;
  rename_task(directory_, "bottle", "flasche ß");
  EXPECT_EQ(task("flasche ß")->state, before);
  EXPECT_EQ(task("flasche ß")->id, 0);
  EXPECT_EQ(task("bottle"), nullptr);
  EXPECT_EQ(manifest().current().change, "rename bottle to flasche ß");
  EXPECT_EQ(manifest().history.size(), 3);
}

TEST_F(EditTest, NamesThatAreTakenOrNoNamesAreRefused) {
  learn("bottle", 1);
  learn("cable", 2);
  EXPECT_THAT(error_of([&] { rename_task(directory_, "bottle", "cable"); }).what(),
              HasSubstr("the name is taken"));
  for (const std::string name : {"", ".", "..", "a/b", "a\\b", "a\nb", "\xff\xfe"}) {
    EXPECT_EQ(error_of([&] { rename_task(directory_, "bottle", name); }).code(),
              ErrorCode::kInvalidArgument)
        << name;
  }
  EXPECT_EQ(error_of([&] { require_task_name(std::string(201, 'a')); }).code(),
            ErrorCode::kInvalidArgument);
  EXPECT_NO_THROW(require_task_name("Käfer 7, links"));
  EXPECT_EQ(manifest().history.size(), 2);
}

TEST_F(EditTest, AnUnknownTaskNamesTheNearest) {
  learn("bottle", 1);
  const Error error = error_of([&] { rename_task(directory_, "botle", "x"); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(error.what(), HasSubstr("did you mean 'bottle'?"));
}

TEST_F(EditTest, AModelThatIsNotThereIsNotMade) {
  EXPECT_EQ(error_of([&] { undo(directory_); }).code(), ErrorCode::kNotFound);
  EXPECT_EQ(error_of([&] { prune(directory_); }).code(), ErrorCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(directory_.path()));
}

TEST_F(EditTest, AThresholdByHandIsMarkedAsSuch) {
  learn("bottle", 1);
  set_threshold(directory_, "bottle", 7.5);
  EXPECT_EQ(task("bottle")->threshold.value, 7.5);
  EXPECT_EQ(task("bottle")->threshold.source, ThresholdSource::kManual);
  EXPECT_EQ(error_of([&] { set_threshold(directory_, "bottle", std::nan("")); }).code(),
            ErrorCode::kInvalidArgument);
}

TEST_F(EditTest, UndoRestoresTheManifestOfBefore) {
  learn("bottle", 1);
  const std::string before = write_manifest(manifest());
  learn("cable", 2);
  undo(directory_);
  Manifest now = manifest();
  EXPECT_EQ(task("cable"), nullptr);
  EXPECT_EQ(now.next_task_id, 2);  // ids and numbers are never used again
  EXPECT_EQ(now.next_generation, 3);
  now.next_task_id = 1;
  now.next_generation = 2;
  EXPECT_EQ(write_manifest(now), before);
  const Error error = error_of([&] { undo(directory_); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("one generation only"));
}

TEST_F(EditTest, UndoOfOneTaskLeavesTheOthers) {
  learn("bottle", 1);
  learn("bottle", 1.5);
  learn("cable", 2);
  set_threshold(directory_, "cable", 9);
  undo_task(directory_, "bottle");
  EXPECT_EQ(bank_of("bottle"), 1);
  EXPECT_EQ(task("cable")->threshold.value, 9);
  undo_task(directory_, "cable");
  EXPECT_EQ(task("cable")->threshold.value, 2);
  undo_task(directory_, "cable");
  EXPECT_EQ(task("cable"), nullptr);
  EXPECT_EQ(error_of([&] { undo_task(directory_, "bottle"); }).code(),
            ErrorCode::kInvalidArgument);  // nothing would be left
  undo(directory_);
  undo(directory_);
  undo_task(directory_, "bottle");  // further back: before it was learned at all
  EXPECT_EQ(task("bottle"), nullptr);
}

TEST_F(EditTest, UndoOfATaskThatSharesParametersOnlyWhileItIsTheLast) {
  learn("bottle", 1, 10);
  learn("cable", 2, 20);
  learn("nut", 3, 30);
  const Error error = error_of([&] { undo_task(directory_, "cable"); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.what(), HasSubstr("take those back first"));
  undo_task(directory_, "nut");
  const auto shared = directory_.read().second.shared.tensors.at("bank")[0].item<double>();
  EXPECT_EQ(shared, 20);
  EXPECT_EQ(task("nut"), nullptr);
  set_threshold(directory_, "bottle", 5);  // what shares nothing can always be taken back
  undo_task(directory_, "bottle");
  EXPECT_EQ(task("bottle")->threshold.value, 1);
}

TEST_F(EditTest, PruneForgetsTheHistoryAndItsPieces) {
  learn("bottle", 1);
  learn("bottle", 1.5);
  learn("cable", 2);
  const auto n_bytes = task("bottle")->state.n_bytes;
  EXPECT_EQ(prune(directory_), n_bytes);
  EXPECT_EQ(manifest().history.size(), 1);
  EXPECT_EQ(bank_of("bottle"), 1.5);
  EXPECT_TRUE(directory_.unreferenced(manifest()).empty());
  EXPECT_EQ(prune(directory_), 0);
}

}  // namespace
}  // namespace cadenza
