#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <set>
#include <thread>

#include "tests/support/error_of.h"
#include "tests/support/temporary_folder.h"
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "cadenza/base/bytes.h"
#include "cadenza/base/clock.h"
#include "cadenza/base/digest.h"
#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/base/json.h"
#include "cadenza/base/options.h"
#include "cadenza/base/registry.h"
#include "cadenza/base/rng.h"
#include "cadenza/base/suggest.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(Error, ContextStandsInFrontAndTheCodeStays) {
  const Error inner(ErrorCode::kCorruptData, "offset 812: bad opcode");
  const Error outer = inner.with_context("bottle.pth");
  EXPECT_STREQ(outer.what(), "bottle.pth: offset 812: bad opcode");
  EXPECT_EQ(outer.code(), ErrorCode::kCorruptData);
  EXPECT_EQ(to_string(outer.code()), "corrupt-data");
}

TEST(ByteReader, ReadsLittleAndBigEndian) {
  const std::array<unsigned char, 16> raw = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  ByteReader reader(std::as_bytes(std::span(raw)), "raw");
  EXPECT_EQ(reader.u8(), 1);
  EXPECT_EQ(reader.u16(), 0x0302);
  EXPECT_EQ(reader.u32(), 0x07060504U);
  EXPECT_EQ(reader.u16_big_endian(), 0x0809);
  EXPECT_EQ(reader.u32_big_endian(), 0x0A0B0C0DU);
  reader.seek(0);
  EXPECT_EQ(reader.u64(), 0x0807060504030201U);
}

TEST(ByteReader, AClaimedLengthIsComparedWithWhatRemains) {
  const std::array<std::byte, 4> raw{};
  ByteReader reader(raw, "four.bin");
  reader.skip(1);
  const auto error = error_of([&] { reader.take(~std::uint64_t{0}); });
  EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
  EXPECT_STREQ(error.what(), "four.bin: at offset 1: 18446744073709551615 bytes wanted, 3 remain");
  EXPECT_THROW(reader.seek(5), Error);
}

TEST(File, AtomicWriteReplacesAndLeavesNoTemporary) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.json";
  write_file_atomic(path, "old");
  write_file_atomic(path, "new");
  EXPECT_EQ(text_of(read_file(path)), "new");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
  const MappedFile mapped(path);
  EXPECT_EQ(mapped.bytes().size(), 3U);
}

TEST(File, FailuresNameThePathAndTheReason) {
  const TemporaryFolder folder;
  const auto absent = folder.path() / "absent";
  auto error = error_of([&] { read_file(absent); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_NE(std::string(error.what()).find(absent.string()), std::string::npos);
  EXPECT_EQ(error_of([&] { read_file(folder.path()); }).code(), ErrorCode::kIo);
  EXPECT_EQ(error_of([&] { MappedFile{absent}; }).code(), ErrorCode::kNotFound);
  EXPECT_EQ(error_of([&] { write_file_atomic(absent / "x", "text"); }).code(),
            ErrorCode::kNotFound);
  write_file_atomic(folder.path() / "ten", "0123456789");
  EXPECT_EQ(error_of([&] { read_file(folder.path() / "ten", 9); }).code(),
            ErrorCode::kLimitExceeded);
}

TEST(File, AFullDiskLeavesTheOldContent) {
  // /dev/full answers every write with ENOSPC; a folder of links to it stands for a full disk.
  const TemporaryFolder folder;
  const auto path = folder.path() / "a";
  write_file_atomic(path, "old");
  fs::create_symlink("/dev/full", folder.path() / "a.tmp");
  const auto error = error_of([&] { write_file_atomic(path, "new"); });
  EXPECT_EQ(error.code(), ErrorCode::kIo);
  EXPECT_NE(std::string(error.what()).find("No space left"), std::string::npos) << error.what();
  EXPECT_EQ(text_of(read_file(path)), "old");
}

TEST(FileLock, TheSecondOwnerIsTurnedAwayUntilTheFirstIsGone) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "lock";
  {
    const auto first = FileLock::try_acquire(path);
    EXPECT_TRUE(first.has_value());
    EXPECT_FALSE(FileLock::try_acquire(path).has_value());
  }
  EXPECT_TRUE(FileLock::try_acquire(path).has_value());
}

TEST(Sha256, GivesTheVectorsOfFips180) {
  EXPECT_EQ(sha256_hex(std::string_view("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 pieces;
  pieces.add(std::string_view("a"));
  pieces.add(std::string_view("bc"));
  EXPECT_EQ(pieces.hex(), sha256_hex(std::string_view("abc")));
}

TEST(Json, ErrorsNameTheFileAndTheByte) {
  const auto error = error_of([] { parse_json("{\"a\": 1,}", "m.json"); });
  EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
  EXPECT_NE(std::string(error.what()).find("m.json: not JSON: at byte 9"), std::string::npos)
      << error.what();
  EXPECT_EQ(error_of([] { json_member(Json::object(), "format", "m.json"); }).code(),
            ErrorCode::kCorruptData);
  EXPECT_EQ(Json(std::nan("")).dump(), "null");
}

TEST(Rng, StreamsAreIndependentAndRepeatable) {
  Rng first(0, "bottle"), again(0, "bottle"), other(0, "cable"), next_seed(1, "bottle");
  const auto drawn = first.bits();
  EXPECT_EQ(drawn, again.bits());
  EXPECT_NE(drawn, other.bits());
  EXPECT_NE(drawn, next_seed.bits());
}

TEST(Rng, BelowIsUniform) {
  Rng rng(7, "uniform");
  std::array<int, 5> counts{};
  for (int draw = 0; draw < 50000; ++draw) ++counts[rng.below(5)];
  for (const int count : counts) EXPECT_NEAR(count, 10000, 400);  // 4.5 standard deviations
  EXPECT_THROW(rng.below(0), Error);
}

TEST(Rng, NormalHasMeanZeroAndVarianceOne) {
  Rng rng(7, "normal");
  double sum = 0, squares = 0;
  constexpr int kDraws = 100000;
  for (int draw = 0; draw < kDraws; ++draw) {
    const double value = rng.normal();
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / kDraws, 0, 0.015);
  EXPECT_NEAR(squares / kDraws, 1, 0.02);
}

TEST(Rng, SampleSortedIsADistinctSubset) {
  Rng rng(3, "sample");
  const auto sample = rng.sample_sorted(100, 30);
  EXPECT_EQ(std::set<std::int64_t>(sample.begin(), sample.end()).size(), 30U);
  EXPECT_TRUE(std::ranges::is_sorted(sample));
  EXPECT_EQ(rng.sample_sorted(3, 9).size(), 3U);
}

TEST(Clock, TimestampIsUtcInIsoForm) {
  const auto text = utc_timestamp();
  EXPECT_EQ(text.size(), 20U);
  EXPECT_EQ(text.back(), 'Z');
  StageClock clock;
  {
    const StageClock::Span span(&clock, Stage::kNetwork);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_GE(clock.milliseconds(Stage::kNetwork), 2.0);
  EXPECT_EQ(clock.milliseconds(Stage::kDecode), 0.0);
}

TEST(NearestName, FindsSlipsOfTheFingerOnly) {
  const std::vector<std::string> known = {"coreset_ratio", "epochs", "seed"};
  EXPECT_EQ(nearest_name("coreset_ration", known), "coreset_ratio");
  EXPECT_EQ(nearest_name("epohcs", known), "epochs");
  EXPECT_EQ(nearest_name("frobnicate", known), "");
}

TEST(Registry, UnknownNamesListTheKnownOnes) {
  struct Entry {
    std::string name;
  };
  Registry<Entry> registry("method");
  registry.add({"ucad"});
  registry.add({"dne"});
  EXPECT_EQ(registry.names(), (std::vector<std::string>{"dne", "ucad"}));
  EXPECT_THROW(registry.add({"dne"}), Error);
  EXPECT_STREQ(error_of([&] { registry.find("ucat"); }).what(),
               "no method 'ucat'; did you mean 'ucad'? known: dne, ucad");
}

std::vector<OptionSpec> example_table() {
  return {integer_option("epochs", 25, 0, 1000, "passes over the images"),
          real_option("rate", 5e-4, 0, 1, "learning rate"),
          flag_option("compat", false, "as released"),
          choice_option("masks", "sam", {"sam", "slic"}, "regions")};
}

TEST(Options, DefaultsAreFilledAndSpellingIsCanonical) {
  const auto table = example_table();
  const Options options("method 'x'", table, {{"epochs", "007"}, {"compat", "yes"}});
  EXPECT_EQ(options.integer("epochs"), 7);
  EXPECT_TRUE(options.flag("compat"));
  EXPECT_EQ(options.real("rate"), 5e-4);
  EXPECT_EQ(options.texts().at("epochs"), "7");
  EXPECT_EQ(options.texts().at("rate"), "0.0005");
}

TEST(Options, AListIsATextsPartsBetweenCommas) {
  const std::vector<OptionSpec> table{text_option("taps", "a,b", "names")};
  const auto parts = [&](const OptionTexts& given) {
    return Options("method 'x'", table, given).list("taps");
  };
  EXPECT_EQ(parts({}), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(parts({{"taps", ",c,,d e,"}}), (std::vector<std::string>{"c", "d e"}));
  EXPECT_TRUE(parts({{"taps", ""}}).empty());
}

TEST(Options, BadNamesAndValuesSayWhatIsAllowed) {
  const auto table = example_table();
  const auto message = [&](const OptionTexts& given) {
    return std::string(error_of([&] { Options("method 'x'", table, given); }).what());
  };
  EXPECT_EQ(
      message({{"epoch", "3"}}),
      "method 'x': no option 'epoch'; did you mean 'epochs'? known: epochs, rate, compat, masks");
  EXPECT_EQ(message({{"epochs", "-1"}}),
            "method 'x': option 'epochs': expected integer in [0, 1000], got '-1'");
  EXPECT_EQ(message({{"rate", "nan"}}),
            "method 'x': option 'rate': expected number in [0, 1], got 'nan'");
  EXPECT_EQ(message({{"masks", "fh"}}),
            "method 'x': option 'masks': expected one of sam, slic, got 'fh'");
  EXPECT_EQ(message({{"compat", "maybe"}}),
            "method 'x': option 'compat': expected true or false, got 'maybe'");
}

}  // namespace
}  // namespace cadenza
