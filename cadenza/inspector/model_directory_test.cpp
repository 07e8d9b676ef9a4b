#include "cadenza/inspector/model_directory.h"

#include <string>

#include "tests/support/error_of.h"
#include "tests/support/temporary_folder.h"
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/base/digest.h"
#include "cadenza/base/json.h"
#include "cadenza/inspector/state_file.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

StatePiece piece_of(double value) {
  StatePiece piece;
  piece.tensors["bank"] = at::full({2, 3}, value, at::kFloat);
  piece.tensors["owner"] = at::arange(3, at::kInt);
  piece.texts["name"] = "käfer";
  return piece;
}

std::string text_of(const fs::path& file) {
  const auto bytes = read_file(file);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Commits one more generation with one more task.
Manifest add_task(const ModelDirectory& directory, const std::string& name, double value) {
  ModelWriter writer(directory);
  Manifest manifest = writer.manifest().value_or(Manifest{
      .method = "fake", .options = {{"k", "3"}}, .network = {}, .fingerprint = "f", .history = {}});
  Generation next = manifest.history.empty() ? Generation{} : manifest.current();
  next.number = manifest.next_generation++;
  next.written = "2026-01-01T00:00:00Z";
  next.change = "train " + name;
  next.shared = writer.put({});
  TaskRecord task;
  task.id = manifest.next_task_id++;
  task.name = name;
  task.state = writer.put(piece_of(value));
  task.threshold = {.value = 1.0 / 3.0, .n_normals = 20};
  next.tasks.push_back(task);
  manifest.history.push_back(next);
  writer.commit(manifest);
  return manifest;
}

class ModelDirectoryTest : public ::testing::Test {
 protected:
  fs::path piece_file(const Manifest& manifest, std::size_t task) const {
    return directory_.path() / "state" /
           (manifest.current().tasks[task].state.sha256 + ".safetensors");
  }

  TemporaryFolder folder_;
  ModelDirectory directory_{folder_.path() / "line"};
};

TEST_F(ModelDirectoryTest, ReadsWhatWasCommitted) {
  add_task(directory_, "bottle", 1);
  const Manifest written = add_task(directory_, "cable", 2);
  const auto [manifest, state] = directory_.read();
  EXPECT_EQ(write_manifest(manifest), write_manifest(written));
  EXPECT_EQ(manifest.history.size(), 2U);
  ASSERT_EQ(state.tasks.size(), 2U);
  EXPECT_TRUE(at::equal(state.tasks.at(1).tensors.at("bank"), piece_of(2).tensors.at("bank")));
  EXPECT_TRUE(at::equal(state.tasks.at(1).tensors.at("owner"), piece_of(2).tensors.at("owner")));
  EXPECT_EQ(state.tasks.at(0).texts.at("name"), "käfer");
}

TEST_F(ModelDirectoryTest, PiecesAreNamedByTheirContent) {
  const Manifest manifest = add_task(directory_, "bottle", 1);
  EXPECT_EQ(sha256_hex(text_of(piece_file(manifest, 0))), manifest.current().tasks[0].state.sha256);
}

TEST_F(ModelDirectoryTest, AbsentModelSaysHowToMakeOne) {
  const Error error = error_of([&] { directory_.read(); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(error.what(), HasSubstr("cadenza train"));
}

TEST_F(ModelDirectoryTest, SecondWriterIsRefused) {
  add_task(directory_, "bottle", 1);
  const ModelWriter first(directory_);
  const Error error = error_of([&] { ModelWriter second(directory_); });
  EXPECT_EQ(error.code(), ErrorCode::kIo);
  EXPECT_THAT(error.what(), HasSubstr("another process"));
  EXPECT_EQ(directory_.read().first.history.size(), 1U);  // readers do not care
}

TEST_F(ModelDirectoryTest, WithoutCommitNothingStays) {
  {
    ModelWriter writer(directory_);
    writer.put(piece_of(1));
  }
  EXPECT_FALSE(fs::exists(directory_.path()));
  const Manifest manifest = add_task(directory_, "bottle", 1);
  {
    ModelWriter writer(directory_);
    writer.put(piece_of(9));
  }
  EXPECT_TRUE(directory_.unreferenced(manifest).empty());
  EXPECT_EQ(directory_.read_manifest().history.size(), 1U);
}

TEST_F(ModelDirectoryTest, NextWriterRemovesWhatACrashLeft) {
  const Manifest manifest = add_task(directory_, "bottle", 1);
  write_file_atomic(directory_.path() / "state" / (std::string(64, 'a') + ".safetensors"), "x");
  write_file_atomic(directory_.path() / "state" / "b.safetensors.tmp", "x");
  write_file_atomic(directory_.path() / "manifest.json.tmp", "{");
  EXPECT_EQ(directory_.check().n_unreferenced, 2);
  EXPECT_TRUE(directory_.check().problems.empty());
  {
    const ModelWriter writer(directory_);
  }
  EXPECT_TRUE(directory_.unreferenced(manifest).empty());
  EXPECT_FALSE(fs::exists(directory_.path() / "manifest.json.tmp"));
  EXPECT_EQ(directory_.read().second.tasks.size(), 1U);
}

TEST_F(ModelDirectoryTest, RefusesAFolderOfSomethingElse) {
  write_file_atomic(folder_.path() / "photo.png", "x");
  const Error error = error_of([&] { ModelWriter writer(ModelDirectory(folder_.path())); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(fs::exists(folder_.path() / "photo.png"));
}

TEST_F(ModelDirectoryTest, EveryFlippedByteOfAPieceIsFound) {
  const Manifest manifest = add_task(directory_, "bottle", 1);
  const fs::path file = piece_file(manifest, 0);
  const std::string whole = text_of(file);
  for (std::size_t position = 0; position < whole.size(); position += 7) {
    std::string damaged = whole;
    damaged[position] = static_cast<char>(damaged[position] ^ 1);
    write_file_atomic(file, damaged);
    const Error error = error_of([&] { directory_.read(); });
    ASSERT_EQ(error.code(), ErrorCode::kCorruptData) << position;
    EXPECT_THAT(error.what(), HasSubstr("damaged or swapped"));
  }
  write_file_atomic(file, whole.substr(0, whole.size() - 1));
  EXPECT_THAT(error_of([&] { directory_.read(); }).what(), HasSubstr("the manifest says"));
  EXPECT_EQ(directory_.check().problems.size(), 1U);
}

TEST_F(ModelDirectoryTest, SwappedPiecesAreFound) {
  add_task(directory_, "bottle", 1);
  const Manifest manifest = add_task(directory_, "cable", 2);
  fs::rename(piece_file(manifest, 0), folder_.path() / "saved");
  fs::copy(piece_file(manifest, 1), piece_file(manifest, 0));
  EXPECT_EQ(error_of([&] { directory_.read(); }).code(), ErrorCode::kCorruptData);
}

TEST_F(ModelDirectoryTest, MissingPieceIsNamed) {
  const Manifest manifest = add_task(directory_, "bottle", 1);
  fs::remove(piece_file(manifest, 0));
  const Error error = error_of([&] { directory_.read(); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(error.what(), HasSubstr(manifest.current().tasks[0].state.sha256));
}

TEST_F(ModelDirectoryTest, EveryFlippedByteOfTheManifestIsFound) {
  add_task(directory_, "bottle", 1);
  const fs::path file = directory_.path() / "manifest.json";
  const std::string whole = text_of(file);
  for (std::size_t position = 0; position + 3 < whole.size(); ++position) {
    std::string damaged = whole;
    damaged[position] = static_cast<char>(damaged[position] ^ 2);
    const Error error = error_of([&] { parse_manifest(damaged, "m"); });
    ASSERT_TRUE(error.code() == ErrorCode::kCorruptData || error.code() == ErrorCode::kUnsupported)
        << position << ": " << error.what();
  }
  for (std::size_t length = 0; length + 2 < whole.size(); ++length) {
    ASSERT_EQ(error_of([&] { parse_manifest(whole.substr(0, length), "m"); }).code(),
              ErrorCode::kCorruptData)
        << length;
  }
}

TEST_F(ModelDirectoryTest, DamagedManifestStopsTheWriterBeforeItRemovesAnything) {
  const Manifest manifest = add_task(directory_, "bottle", 1);
  write_file_atomic(directory_.path() / "manifest.json", "{}");
  EXPECT_EQ(error_of([&] { ModelWriter writer(directory_); }).code(), ErrorCode::kCorruptData);
  EXPECT_TRUE(fs::exists(piece_file(manifest, 0)));
}

/// `manifest.json` with `change` applied and a right checksum.
std::string resealed(const Manifest& manifest, const std::function<void(Json&)>& change) {
  Json json = parse_json(write_manifest(manifest), "m");
  json.erase("checksum");
  change(json);
  std::string text = json.dump(1);
  text.resize(text.size() - 2);
  text += ",\n ";
  text += cat("\"checksum\": \"", sha256_hex(text), "\"\n}\n");
  return text;
}

TEST_F(ModelDirectoryTest, NewerFormatIsRefusedWithTheRemedy) {
  const Manifest manifest = add_task(directory_, "bottle", 1);
  const Error error = error_of([&] {
    parse_manifest(resealed(manifest, [](Json& json) { json["format"] = 2; }),
                   "line/manifest.json");
  });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.what(), HasSubstr("line/manifest.json: format 2 is newer"));
  EXPECT_THAT(error.what(), HasSubstr("install"));
}

TEST_F(ModelDirectoryTest, ContradictionsAreNamed) {
  add_task(directory_, "bottle", 1);
  const Manifest manifest = add_task(directory_, "cable", 2);
  const auto message = [&](const std::function<void(Json&)>& change) {
    const Error error = error_of([&] { parse_manifest(resealed(manifest, change), "m"); });
    EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
    return std::string(error.what());
  };
  EXPECT_THAT(message([](Json& j) { j["next_task_id"] = 1; }), HasSubstr("next_task_id is 1"));
  EXPECT_THAT(message([](Json& j) { j["next_generation"] = 1; }), HasSubstr("next_generation"));
  EXPECT_THAT(message([](Json& j) { j["history"][1]["tasks"][1]["id"] = 0; }), HasSubstr("twice"));
  EXPECT_THAT(message([](Json& j) { j["history"] = Json::array(); }), HasSubstr("at least one"));
  EXPECT_THAT(message([](Json& j) { j["history"][0]["tasks"][0].erase("state"); }),
              HasSubstr("state"));
  EXPECT_THAT(message([](Json& j) { j["history"][0]["shared"]["sha256"] = "../../etc/passwd"; }),
              HasSubstr("64 hexadecimal digits"));
  EXPECT_THAT(message([](Json& j) { j["history"][0]["tasks"][0]["threshold"]["source"] = "x"; }),
              HasSubstr("left-out, held-back or manual"));
  EXPECT_THAT(message([](Json& j) { j["method"]["options"]["k"] = 3; }), HasSubstr("a text"));
}

TEST_F(ModelDirectoryTest, DigestChangesWithWhatDecidesAVerdict) {
  Manifest manifest = add_task(directory_, "bottle", 1);
  const std::string before = manifest.digest();
  manifest.history.back().written = "2027-01-01T00:00:00Z";
  EXPECT_EQ(manifest.digest(), before);
  manifest.history.back().tasks[0].threshold.value = 2;
  EXPECT_NE(manifest.digest(), before);
}

TEST(StateFile, EqualPiecesGiveEqualBytes) {
  EXPECT_EQ(write_state_file(piece_of(1)), write_state_file(piece_of(1)));
  EXPECT_NE(write_state_file(piece_of(1)), write_state_file(piece_of(2)));
}

TEST(StateFile, KeepsEveryTypeShapeAndText) {
  StatePiece piece;
  for (const auto type : {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16, at::kLong, at::kInt,
                          at::kShort, at::kChar, at::kByte, at::kBool}) {
    piece.tensors[at::toString(type)] = at::arange(6, at::kFloat).reshape({2, 3}).to(type);
  }
  piece.tensors["empty"] = at::empty({0, 4});
  piece.tensors["scalar"] = at::full({}, 7.0);
  piece.tensors["transposed"] = at::arange(6).reshape({2, 3}).t();
  piece.texts = {{"quote\"", "line\nbreak"}, {"empty", ""}};
  const StatePiece read = read_state_file(write_state_file(piece), "piece");
  EXPECT_EQ(read.texts, piece.texts);
  ASSERT_EQ(read.tensors.size(), piece.tensors.size());
  for (const auto& [name, tensor] : piece.tensors) {
    EXPECT_EQ(read.tensors.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(read.tensors.at(name), tensor)) << name;
  }
}

}  // namespace
}  // namespace cadenza
