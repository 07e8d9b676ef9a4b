#include "cadenza/checkpoint/safetensors.h"

#include <cstring>
#include <string>
#include <vector>

#include "tests/support/error_of.h"
#include "tests/support/temporary_folder.h"
#include <gtest/gtest.h>

#include "cadenza/base/error.h"
#include "cadenza/base/file.h"

namespace cadenza {
namespace {

/// A file by its definition: length, header, data.
std::vector<std::byte> file_of(const std::string& header, std::size_t n_data) {
  const std::uint64_t length = header.size();
  std::vector<std::byte> bytes(sizeof length + header.size() + n_data);
  std::memcpy(bytes.data(), &length, sizeof length);
  std::memcpy(bytes.data() + sizeof length, header.data(), header.size());
  return bytes;
}

Error error_reading(const std::string& header, std::size_t n_data = 8) {
  const auto bytes = file_of(header, n_data);
  return error_of([&] { read_safetensors(bytes, "a.safetensors", nullptr); });
}

void expect_refused(const std::string& header, ErrorCode code, const std::string& part,
                    std::size_t n_data = 8) {
  const auto error = error_reading(header, n_data);
  EXPECT_EQ(error.code(), code) << error.what();
  EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  EXPECT_EQ(std::string(error.what()).find("a.safetensors"), 0U) << error.what();
}

TEST(Safetensors, BytesAreThoseOfTheFormat) {
  Checkpoint checkpoint;
  checkpoint.texts["by"] = "hand";
  checkpoint.tensors["b"] = stored_floats({1, 2}, {1, 2});
  checkpoint.tensors["a"] = stored_floats({}, {3});
  std::string header =
      R"({"__metadata__":{"by":"hand"},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
      R"("b":{"dtype":"F32","shape":[1,2],"data_offsets":[4,12]}})";
  while (header.size() % 8 != 0) header.push_back(' ');
  auto expected = file_of(header, 12);
  const float values[] = {3, 1, 2};
  std::memcpy(expected.data() + expected.size() - 12, values, 12);
  EXPECT_EQ(write_safetensors(checkpoint), expected);
}

TEST(Safetensors, AFileComesBackMapped) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "x.safetensors";
  const std::vector<std::byte> one_byte(1, std::byte{1});
  Checkpoint checkpoint;
  checkpoint.texts["k"] = "v";
  checkpoint.tensors["a"] = stored_floats({2, 2}, {1, 2, 3, 4});
  checkpoint.tensors["empty"] = stored_floats({0, 4}, {});
  checkpoint.tensors["z"] = {DType::kBool, {1}, one_byte, nullptr};
  write_file_atomic(path, write_safetensors(checkpoint));
  const auto read = read_safetensors(path);
  EXPECT_EQ(read.texts, checkpoint.texts);
  ASSERT_EQ(read.tensors.size(), 3U);
  for (const auto& [name, tensor] : checkpoint.tensors) {
    const auto& found = read.tensors.at(name);
    EXPECT_EQ(found.dtype, tensor.dtype);
    EXPECT_EQ(found.shape, tensor.shape);
    EXPECT_TRUE(std::ranges::equal(found.bytes, tensor.bytes));
    EXPECT_NE(found.owner, nullptr);
  }
  EXPECT_EQ(write_safetensors(read), read_file(path));
}

TEST(Safetensors, LengthsAreComparedBeforeTheyAreBelieved) {
  auto bytes = file_of("{}", 0);
  std::memset(bytes.data(), 0xFF, 8);
  EXPECT_EQ(error_of([&] { read_safetensors(bytes, "a", nullptr); }).code(),
            ErrorCode::kCorruptData);
  EXPECT_EQ(error_of([&] { read_safetensors(std::span(bytes).first(5), "a", nullptr); }).code(),
            ErrorCode::kCorruptData);
  const std::string wide = "{" + std::string(10'000'001, ' ') + "}";
  EXPECT_EQ(error_reading(wide, 0).code(), ErrorCode::kLimitExceeded);
}

TEST(Safetensors, AHeaderThatContradictsItselfIsRefused) {
  const auto corrupt = ErrorCode::kCorruptData;
  expect_refused("[]", corrupt, "no object");
  expect_refused("{", corrupt, "not JSON");
  expect_refused(R"({"t":3})", corrupt, "'t'");
  expect_refused(R"({"t":{"shape":[2],"data_offsets":[0,8]}})", corrupt, "no 'dtype'");
  expect_refused(R"({"t":{"dtype":3,"shape":[2],"data_offsets":[0,8]}})", corrupt, "no text");
  expect_refused(R"({"t":{"dtype":"F8_E5M2","shape":[8],"data_offsets":[0,8]}})",
                 ErrorCode::kUnsupported, "'F8_E5M2'");
  expect_refused(R"({"t":{"dtype":"F32","shape":2,"data_offsets":[0,8]}})", corrupt, "no list");
  expect_refused(R"({"t":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", corrupt, "-2");
  expect_refused(R"({"t":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", corrupt, "2.0");
  expect_refused(R"({"t":{"dtype":"F32","shape":[{}],"data_offsets":[0,8]}})", corrupt, "object");
  expect_refused(R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", corrupt, "two numbers");
  expect_refused(R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", corrupt, "[8, 0)");
  expect_refused(R"({"t":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})", corrupt,
                 "in 8 bytes of data");
  expect_refused(R"({"t":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", corrupt,
                 "[3] F32 is 12 bytes, its offsets span 8");
  expect_refused(R"({"t":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,8]}})",
                 corrupt, "larger than any memory");
  expect_refused(R"({"__metadata__":[]})", corrupt, "no object", 0);
  expect_refused(R"({"__metadata__":{"a":1}})", corrupt, "no text", 0);
}

TEST(Safetensors, TensorsCoverTheDataOnce) {
  const auto entry = [](const std::string& name, int begin, int end) {
    return "\"" + name + R"(":{"dtype":"U8","shape":[)" + std::to_string(end - begin) +
           R"(],"data_offsets":[)" + std::to_string(begin) + "," + std::to_string(end) + "]}";
  };
  const auto two = [&](int first_end, int second_begin, int second_end) {
    return "{" + entry("a", 0, first_end) + "," + entry("b", second_begin, second_end) + "}";
  };
  EXPECT_STREQ(error_reading(two(4, 4, 8)).what(), "nothing was thrown");
  expect_refused(two(4, 3, 8), ErrorCode::kCorruptData, "inside another tensor");
  expect_refused(two(4, 5, 8), ErrorCode::kCorruptData, "behind a hole");
  expect_refused(two(4, 4, 7), ErrorCode::kCorruptData, "end at 7 of 8");
  expect_refused("{" + entry("a", 0, 4) + "," + entry("a", 4, 8) + "}", ErrorCode::kCorruptData,
                 "twice");
}

TEST(Safetensors, ABooleanIsZeroOrOne) {
  auto bytes = file_of(R"({"t":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})", 1);
  bytes.back() = std::byte{2};
  const auto error = error_of([&] { read_safetensors(bytes, "a", nullptr); });
  EXPECT_STREQ(error.what(), "a: 't': a boolean is neither 0 nor 1 but 2");
}

TEST(Safetensors, WhatCannotBeWrittenIsRefused) {
  EXPECT_EQ(
      error_of([] {
        write_safetensors({.tensors = {{"__metadata__", stored_floats({1}, {1})}}, .texts = {}});
      }).code(),
      ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([] { write_safetensors({.tensors = {}, .texts = {{"a", "\xFF"}}}); }).code(),
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cadenza
