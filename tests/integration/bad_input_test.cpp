// What users, disks and other processes do to the commands: accepted or refused as the manual says,
// with the model directory as it was and the other files done.
#include <chrono>
#include <fstream>
#include <optional>
#include <thread>

#include "tests/integration/command_fixture.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cadenza/inspector/model_directory.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class BadInput : public CommandTest {
 protected:
  void put(const std::string& name, std::span<const std::byte> bytes) const {
    fs::create_directories(path(name).parent_path());
    write_file_atomic(path(name), bytes);
  }
  void put(const std::string& name, std::string_view text) const {
    put(name, std::as_bytes(std::span(text.data(), text.size())));
  }
  /// The model as it is now, whatever happens next.
  void learn_bottle() {
    ASSERT_EQ(train("bottle").status, 0);
    model_ = bytes_of("line");
    verdicts_ = timeless(predict({"new"}).out);
  }
  void expect_unchanged() const {
    EXPECT_EQ(bytes_of("line"), model_);
    EXPECT_EQ(timeless(predict({"new"}).out), verdicts_);
  }

  std::string model_, verdicts_;
};

// --- Refused images -----------------------------------------------------------------------------

struct BadImage {
  std::string name, code, reason;
  std::function<std::vector<std::byte>()> make;
};

std::vector<std::byte> bytes_of_text(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  return {bytes.begin(), bytes.end()};
}

std::vector<std::byte> half_of(std::vector<std::byte> bytes) {
  bytes.resize(bytes.size() / 2);
  return bytes;
}

/// A PNG whose header says 60,000 x 60,000.
std::vector<std::byte> giant_png() {
  auto bytes = encode_png(photo_of(kBottle, 1));
  for (const std::size_t field : {16, 20}) {
    for (const auto& [offset, value] : {std::pair{0, 0}, {1, 0}, {2, 0xEA}, {3, 0x60}}) {
      bytes[field + static_cast<std::size_t>(offset)] = static_cast<std::byte>(value);
    }
  }
  std::uint32_t crc = 0xFFFFFFFF;  // of type and content: libpng checks it first
  for (std::size_t at = 12; at < 29; ++at) {
    crc ^= static_cast<std::uint32_t>(bytes[at]);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0U);
  }
  crc = ~crc;
  for (int byte = 0; byte < 4; ++byte) {
    bytes[29 + static_cast<std::size_t>(byte)] = static_cast<std::byte>(crc >> (24 - 8 * byte));
  }
  return bytes;
}

std::vector<BadImage> bad_images() {
  return {
      {"truncated.jpg", "corrupt-data", "truncated.jpg",
       [] { return half_of(encode_jpeg(photo_of(kBottle, 1), 90)); }},
      {"text.png", "corrupt-data", "not an image: starts with 'Dear custome'",
       [] { return bytes_of_text("Dear customer"); }},
      {"empty.png", "corrupt-data", "the file is empty", [] { return std::vector<std::byte>(); }},
      {"small.png", "invalid-argument", "32x7 px; both sides need at least 8 px",
       [] { return encode_png(photo_of(kBottle, 1, {.height_px = 7})); }},
      {"giant.png", "limit-exceeded", "60000x60000 px; at most", giant_png},
  };
}

TEST_F(BadInput, ABadImageInAListIsNamedAndTheOthersAreDone) {
  learn_bottle();
  for (const auto& bad : bad_images()) put("new/" + bad.name, bad.make());
  const auto result = predict({"new", "absent.png"});
  EXPECT_EQ(result.status, 3);
  std::map<std::string, Json> by_file;
  for (const auto& line : lines_of(result.out)) by_file[line["file"]] = line;
  EXPECT_EQ(by_file.size(), 3 + bad_images().size() + 1);
  for (const auto& bad : bad_images()) {
    const auto& error = by_file["new/" + bad.name]["error"];
    EXPECT_EQ(error["code"], bad.code);
    EXPECT_THAT(error["message"].get<std::string>(), HasSubstr("new/" + bad.name + ": "));
    EXPECT_THAT(error["message"].get<std::string>(), HasSubstr(bad.reason));
  }
  EXPECT_EQ(by_file["absent.png"]["error"]["code"], "not-found");
  EXPECT_EQ(by_file["new/bad/0000.png"]["label"], "defect");
  for (const auto& bad : bad_images()) fs::remove(path("new/" + bad.name));
  expect_unchanged();
}

TEST_F(BadInput, ABadImageAmongTheNormalsIsNamedAndNothingIsLearned) {
  learn_bottle();
  const std::map<std::string, int> statuses = {
      {"corrupt-data", 12}, {"invalid-argument", 10}, {"limit-exceeded", 14}};
  for (const auto& bad : bad_images()) {
    put("cable/" + bad.name, bad.make());
    const auto result = train("cable");
    EXPECT_EQ(result.status, statuses.at(bad.code)) << bad.name;
    EXPECT_THAT(result.err, HasSubstr("cable/" + bad.name + ": "));
    EXPECT_THAT(result.err, HasSubstr(bad.reason));
    EXPECT_EQ(bytes_of("line"), model_) << bad.name;
    fs::remove(path("cable/" + bad.name));
  }
  expect_unchanged();
}

// --- Refused requests ---------------------------------------------------------------------------

TEST_F(BadInput, FoldersWithoutImagesAndTakenNamesAreRefused) {
  learn_bottle();
  fs::create_directory(path("empty"));
  put("texts/notes.txt", "x");
  for (const std::string folder : {"empty", "texts"}) {
    const auto result = run({"train", "--task", "x", "--normal", folder, "--model", "line"});
    EXPECT_EQ(result.status, 10);
    EXPECT_THAT(result.err, HasSubstr(folder + ": no image is there"));
    EXPECT_EQ(predict({folder}).status, 10);
  }
  EXPECT_EQ(run({"train", "--task", "x", "--normal", "absent", "--model", "line"}).status, 11);
  const auto twice = train("bottle");
  EXPECT_EQ(twice.status, 10);
  EXPECT_THAT(twice.err, HasSubstr("'bottle': the name is taken in line"));
  EXPECT_EQ(run({"train", "--task", "a/b", "--normal", "cable", "--model", "line"}).status, 10);
  expect_unchanged();
}

TEST_F(BadInput, AFolderOfSomethingElseIsNoModel) {
  const auto before = bytes_of("cable");
  const auto trained = run(
      {"train", "--task", "x", "--normal", "bottle", "--model", "cable", "--method", "toy_colour"});
  EXPECT_EQ(trained.status, 10);
  EXPECT_THAT(trained.err, HasSubstr("cable: is no model directory and not empty"));
  EXPECT_EQ(bytes_of("cable"), before);
  EXPECT_EQ(run({"predict", "new", "--model", "cable"}).status, 11);
}

// --- Accepted -----------------------------------------------------------------------------------

TEST_F(BadInput, OddNamesKindsAndLinksAreAccepted) {
  learn_bottle();
  const Image photo = photo_of(kBottle, 100);
  std::vector<std::uint16_t> deep;
  Image grey{24, 32, 1, {}};
  for (std::int64_t pixel = 0; pixel < 24 * 32; ++pixel) {
    const auto value = photo.pixels[static_cast<std::size_t>(3 * pixel + 1)];
    grey.pixels.push_back(value);
    deep.push_back(static_cast<std::uint16_t>(value * 257));
  }
  put("odd/grey.png", encode_png(grey));
  put("odd/deep.png", encode_png16(deep, 24, 32));
  put("odd/mit leerzeichen ü 漢.JPG", encode_jpeg(photo, 95));
  put("odd/notes.txt", "no image by its name");
  fs::create_symlink("grey.png", path("odd/link.png"));
  fs::create_directory_symlink(path("odd"), path("odd/loop"));
  fs::create_directory_symlink(path("new/good"), path("odd/other"));
  const auto result = predict({"odd"});
  EXPECT_EQ(result.status, 0) << result.out;
  std::map<std::string, Json> by_file;
  for (const auto& line : lines_of(result.out)) by_file[line["file"]] = line;
  ASSERT_EQ(by_file.size(), 5);
  // 16 bits are scaled by the type's maximum.
  EXPECT_EQ(by_file["odd/deep.png"]["score"], by_file["odd/grey.png"]["score"]);
  EXPECT_EQ(by_file["odd/mit leerzeichen ü 漢.JPG"]["label"], "normal");
  EXPECT_EQ(by_file.count("odd/other/0001.png"), 1);
  EXPECT_THAT(result.err, HasSubstr("odd/link.png: the same file as one before"));
  EXPECT_THAT(result.err, HasSubstr("odd/loop: a link back to a folder above it; left out"));
  EXPECT_THAT(result.err, HasSubstr("1 files are no images by their names; skipped"));
}

TEST_F(BadInput, ANameThatIsNoUtf8IsShownAsFarAsItGoes) {
  learn_bottle();
  put("odd/\xff.png", encode_png(photo_of(kBottle, 100)));
  const auto result = predict({"odd"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(lines_of(result.out)[0]["file"], "odd/\uFFFD.png");
}

TEST_F(BadInput, ASingleNormalIsLearnedWithAWarning) {
  const auto result = run({"train", "--task", "one", "--normal", "bottle/0000.png", "--model",
                           "line", "--method", "toy_colour"});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.err, HasSubstr("warning: one normal image only"));
  const auto line = lines_of(predict({"new/good/0000.png"}).out)[0];
  EXPECT_EQ(line["label"], "unknown");
  EXPECT_TRUE(line["score"].is_number());
}

// --- Disks and permissions ----------------------------------------------------------------------

/// Runs the program as a user who may nothing, or tells why that cannot be tested.
class Unprivileged : public BadInput {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) return;  // unprivileged already
    prefix_ = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
    fs::permissions(folder_.path(), fs::perms(0755));
    const auto probe = as_nobody({"--nonsense"});
    if (probe.status != 2) {
      GTEST_SKIP() << "skipped: the program cannot be run as another user here: " << probe.err;
    }
  }
  ProgramResult as_nobody(const std::vector<std::string>& words) const {
    auto all = prefix_;
    all.emplace_back(CADENZA_TOY_PROGRAM);
    all.insert(all.end(), words.begin(), words.end());
    return run_program(all, folder_.path());
  }

  std::vector<std::string> prefix_;
};

TEST_F(Unprivileged, AnUnreadableFileIsNamedAndTheOthersAreDone) {
  learn_bottle();
  fs::permissions(path("new/good/0000.png"), fs::perms::none);
  fs::permissions(path("new/bad"), fs::perms::none);
  const auto result = as_nobody({"predict", "new", "--model", "line", "--json"});
  fs::permissions(path("new/bad"), fs::perms(0755));
  EXPECT_EQ(result.status, 3);
  std::map<std::string, Json> by_file;
  for (const auto& line : lines_of(result.out)) by_file[line["file"]] = line;
  EXPECT_EQ(by_file["new/good/0000.png"]["error"]["code"], "io");
  EXPECT_THAT(by_file["new/good/0000.png"]["error"]["message"].get<std::string>(),
              HasSubstr("new/good/0000.png: cannot open: Permission denied"));
  EXPECT_EQ(by_file["new/bad"]["error"]["code"], "io");
  EXPECT_TRUE(by_file["new/good/0001.png"]["score"].is_number());
  EXPECT_EQ(bytes_of("line"), model_);
}

TEST_F(Unprivileged, AnUnreadableNormalStopsTheTrainingByName) {
  fs::permissions(path("cable/0005.png"), fs::perms::none);
  fs::create_directory(path("place"));
  fs::permissions(path("place"), fs::perms::all);
  const auto result = as_nobody({"train", "--task", "cable", "--normal", "cable", "--model",
                                 "place/line", "--method", "toy_colour"});
  EXPECT_EQ(result.status, 15);
  EXPECT_THAT(result.err, HasSubstr("cable/0005.png: cannot open: Permission denied"));
  EXPECT_FALSE(fs::exists(path("place/line")));
}

TEST_F(Unprivileged, AReadOnlyModelJudgesButDoesNotLearn) {
  learn_bottle();
  fs::permissions(path("line/manifest.json"), fs::perms(0444));
  const auto result =
      as_nobody({"train", "--task", "cable", "--normal", "cable", "--model", "line"});
  EXPECT_EQ(result.status, 15);
  EXPECT_THAT(result.err, HasSubstr("line/lock: cannot create the lock: Permission denied"));
  EXPECT_EQ(as_nobody({"task", "undo", "--model", "line"}).status, 15);
  const auto judged = as_nobody({"predict", "new", "--model", "line", "--json"});
  EXPECT_EQ(timeless(judged.out), verdicts_);
  expect_unchanged();
}

/// A small disk of its own.
class FullDisk : public BadInput {
 protected:
  void SetUp() override {
    fs::create_directory(path("disk"));
    const int failed = ::mount("tmpfs", path("disk").c_str(), "tmpfs", 0, "size=256k");
    if (failed != 0) GTEST_SKIP() << "skipped: a tmpfs cannot be mounted here";
    is_mounted_ = true;
  }
  ~FullDisk() override {
    if (is_mounted_) ::umount(path("disk").c_str());
  }
  /// Leaves `n_bytes` free.
  void fill(std::int64_t n_bytes) const {
    std::ofstream file(path("disk/filler"), std::ios::binary);
    const std::string block(4096, 'x');
    while (static_cast<std::int64_t>(fs::space(path("disk")).available) > n_bytes && file) {
      file << block << std::flush;
    }
  }
  ProgramResult train_on_disk(const std::string& task) const {
    return run({"train", "--task", task, "--normal", task, "--model", "disk/line", "--method",
                "toy_colour"});
  }

  bool is_mounted_ = false;
};

TEST_F(FullDisk, WhateverIsLeftTheOldModelStaysWhole) {
  ASSERT_EQ(train_on_disk("bottle").status, 0);
  const auto model = bytes_of("disk/line");
  int n_refused = 0;
  bool is_learned = false;
  for (std::int64_t n_free = 0; !is_learned; n_free += 4096) {
    fs::remove(path("disk/filler"));
    fill(n_free);
    const auto result = train_on_disk("cable");
    EXPECT_EQ(run({"verify", "--model", "disk/line"}).status, 0) << n_free;
    is_learned = result.status == 0;
    if (is_learned) break;
    ++n_refused;
    EXPECT_EQ(result.status, 15) << result.err;
    EXPECT_THAT(result.err, HasSubstr("disk/line/"));
    EXPECT_THAT(result.err, HasSubstr("No space left on device"));
    EXPECT_EQ(bytes_of("disk/line"), model) << n_free;
    EXPECT_EQ(run({"predict", "new", "--model", "disk/line"}).status, 0);
  }
  EXPECT_GE(n_refused, 2);
  EXPECT_EQ(run({"task", "show", "--model", "disk/line", "--task", "cable"}).status, 0);
}

TEST_F(FullDisk, PredictionsThatCannotBeWrittenEndTheRunNotTheModel) {
  learn_bottle();
  fill(0);
  const auto result = predict({"new", "--out", "disk/out", "--save", "map"});
  EXPECT_EQ(result.status, 15);
  EXPECT_THAT(result.err, HasSubstr("disk/out"));
  expect_unchanged();
}

// --- Damaged and foreign models -----------------------------------------------------------------

class DamagedModel : public BadInput {
 protected:
  void SetUp() override { learn_bottle(); }
  std::string text_of(const std::string& name) const {
    std::ifstream in(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  /// Every command that opens the model refuses it, and leaves it as it is.
  void expect_refused(int status, const std::string& message) const {
    const auto before = bytes_of("line");
    write_photos(path("nut"), kNut, 10);
    for (const auto& result : {predict({"new"}), train("nut")}) {
      EXPECT_EQ(result.status, status) << result.err;
      EXPECT_EQ(result.out, "");
      EXPECT_THAT(result.err, HasSubstr(message));
    }
    EXPECT_EQ(run({"verify", "--model", "line"}).status, status == 13 ? 13 : 12);
    EXPECT_EQ(bytes_of("line"), before);
  }
};

TEST_F(DamagedModel, ANewerFormatSaysWhichProgramCanReadIt) {
  auto text = text_of("line/manifest.json");
  text.replace(text.find("\"format\": 1"), 11, "\"format\": 2");
  put("line/manifest.json", text);
  expect_refused(13, "line/manifest.json: format 2 is newer than this program");
}

TEST_F(DamagedModel, AManifestThatWasChangedOrCutIsRefused) {
  auto text = text_of("line/manifest.json");
  text.replace(text.find("bottle"), 6, "battle");
  put("line/manifest.json", text);
  expect_refused(12, "line/manifest.json: the checksum does not match");
  put("line/manifest.json", text.substr(0, text.size() / 2));
  expect_refused(12, "line/manifest.json");
  put("line/manifest.json", "");
  expect_refused(12, "line/manifest.json");
}

TEST_F(DamagedModel, APieceThatWasChangedOrSwappedIsRefused) {
  ASSERT_EQ(train("cable").status, 0);
  const auto tasks = ModelDirectory(path("line")).read_manifest().current().tasks;
  const auto piece = [&](std::size_t task) {
    return "line/state/" + tasks[task].state.sha256 + ".safetensors";
  };
  const auto first = text_of(piece(0)), second = text_of(piece(1));
  auto damaged = first;
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
  put(piece(0), damaged);
  expect_refused(12, "damaged or swapped");
  put(piece(0), second);
  put(piece(1), first);
  expect_refused(12, piece(0));
  put(piece(1), second);
  fs::remove(path(piece(0)));
  EXPECT_EQ(predict({"new"}).status, 11);
  put(piece(0), first);
  EXPECT_EQ(timeless(predict({"new"}).out).empty(), false);
}

TEST_F(DamagedModel, UndoGoesBackToAWholeGeneration) {
  ASSERT_EQ(train("cable").status, 0);
  const auto tasks = ModelDirectory(path("line")).read_manifest().current().tasks;
  put("line/state/" + tasks[1].state.sha256 + ".safetensors", "x");
  EXPECT_EQ(predict({"new"}).status, 12);
  EXPECT_EQ(run({"task", "undo", "--model", "line"}).status, 0);
  EXPECT_EQ(predict({"new"}).status, 0);
  EXPECT_EQ(run({"verify", "--model", "line"}).status, 0);
}

TEST_F(DamagedModel, AModelOfAMethodThatIsNotThereNamesTheKnownOnes) {
  auto manifest = ModelDirectory(path("line")).read_manifest();
  manifest.method = "toy_colours";
  put("line/manifest.json", write_manifest(manifest));
  const auto result = predict({"new"});
  EXPECT_EQ(result.status, 11);
  EXPECT_THAT(result.err, HasSubstr("no method 'toy_colours'; did you mean 'toy_colour'?"));
}

TEST_F(DamagedModel, AnotherFingerprintIsRefusedWithTheRemedy) {
  auto manifest = ModelDirectory(path("line")).read_manifest();
  manifest.fingerprint = "efficientnet_lite0:bf16";
  put("line/manifest.json", write_manifest(manifest));
  for (const auto& result : {predict({"new"}), train("cable")}) {
    EXPECT_EQ(result.status, 13);
    EXPECT_THAT(result.err, HasSubstr("was trained with efficientnet_lite0:bf16"));
    EXPECT_THAT(result.err, HasSubstr("train it anew here"));
  }
  EXPECT_EQ(run({"task", "list", "--model", "line"}).status, 0);  // what needs no network works
}

// --- Other processes ----------------------------------------------------------------------------

TEST_F(BadInput, TheSecondWriterIsRefusedAndReadersGoOn) {
  learn_bottle();
  {
    const auto lock = FileLock::try_acquire(path("line/lock"));
    ASSERT_TRUE(lock.has_value());
    for (const auto& result :
         {train("cable"),
          run({"task", "rename", "--model", "line", "--task", "bottle", "--to", "x"}),
          run({"threshold", "set", "--model", "line", "--task", "bottle", "--value", "1"})}) {
      EXPECT_EQ(result.status, 15);
      EXPECT_THAT(result.err, HasSubstr("line: another process is changing this model; wait"));
    }
    expect_unchanged();
  }
  EXPECT_EQ(train("cable").status, 0);
}

/// The program as a child of this process.
pid_t start(const std::vector<std::string>& words, const fs::path& folder) {
  std::vector<const char*> arguments = {CADENZA_TOY_PROGRAM};
  for (const auto& word : words) arguments.push_back(word.c_str());
  arguments.push_back(nullptr);
  const pid_t child = ::fork();
  if (child != 0) return child;
  const int null = ::open("/dev/null", O_WRONLY);
  ::dup2(null, STDOUT_FILENO);
  ::dup2(null, STDERR_FILENO);
  if (::chdir(folder.c_str()) == 0) {
    ::execv(CADENZA_TOY_PROGRAM, const_cast<char* const*>(arguments.data()));
  }
  ::_exit(127);
}

TEST_F(BadInput, KilledAtTwentyRandomInstantsTheLastCommittedGenerationStays) {
  learn_bottle();
  const std::vector<std::string> words = {"train", "--task",  "cable", "--normal",
                                          "cable", "--model", "line"};
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(run(words).status, 0);
  const std::chrono::duration<double, std::micro> whole = std::chrono::steady_clock::now() - begin;
  const auto after = timeless(predict({"new"}).out);
  ASSERT_EQ(run({"task", "undo", "--model", "line"}).status, 0);

  const auto seed = static_cast<std::uint64_t>(::getpid());
  Rng rng(seed, "instants");
  int n_killed = 0, n_committed = 0;
  for (int attempt = 0; attempt < 20; ++attempt) {
    const pid_t child = start(words, folder_.path());
    ASSERT_GT(child, 0);
    // The second half of the run is where it reads images, learns and writes.
    const double share = attempt % 2 == 0 ? rng.uniform() : rng.uniform(0.7, 1.1);
    std::this_thread::sleep_for(share * whole);
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    n_killed += WIFSIGNALED(status) ? 1 : 0;

    EXPECT_EQ(ModelDirectory(path("line")).check().problems, std::vector<std::string>())
        << "seed " << seed << " attempt " << attempt;  // what `verify` says
    const bool is_committed =
        ModelDirectory(path("line")).read_manifest().current().find("cable") != nullptr;
    auto verdicts = timeless(predict({"new"}).out);
    // Ids and generation numbers are not used again: compare what does not count them.
    const auto without_model = [](const std::string& text) {
      std::string all;
      for (auto line : lines_of(text)) {
        line.erase("model");
        all += line.dump() + "\n";
      }
      return all;
    };
    EXPECT_EQ(without_model(verdicts), without_model(is_committed ? after : verdicts_))
        << "seed " << seed << " attempt " << attempt;
    if (is_committed) {
      ++n_committed;
      ASSERT_EQ(run({"task", "undo", "--model", "line"}).status, 0);
    } else {
      EXPECT_EQ(verdicts, verdicts_) << "seed " << seed << " attempt " << attempt;
    }
  }
  EXPECT_GT(n_killed, 5) << "seed " << seed;
  EXPECT_EQ(run(words).status, 0);
  EXPECT_TRUE(ModelDirectory(path("line"))
                  .unreferenced(ModelDirectory(path("line")).read_manifest())
                  .empty());
}

TEST_F(BadInput, CtrlCEndsATrainingWithItsOwnStatusAndNothingChanged) {
  learn_bottle();
  write_photos(path("many"), kNut, 600);
  const pid_t child = start(
      {"train", "--task", "many", "--normal", "many", "--model", "line", "--method", "toy_colour"},
      folder_.path());
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  int status = 0;
  // The handler is there once LibTorch is loaded: until then the signal ends the process at once.
  while (::waitpid(child, &status, WNOHANG) == 0) {
    ::kill(child, SIGINT);
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
  const bool is_ended_by_signal = WIFSIGNALED(status) && WTERMSIG(status) == SIGINT;
  EXPECT_TRUE(is_ended_by_signal || (WIFEXITED(status) && WEXITSTATUS(status) == 17)) << status;
  expect_unchanged();
}

}  // namespace
}  // namespace cadenza
