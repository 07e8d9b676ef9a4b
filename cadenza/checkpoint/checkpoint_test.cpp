#include "cadenza/checkpoint/checkpoint.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/error_of.h"
#include "tests/support/temporary_folder.h"
#include <gtest/gtest.h>
#include <immintrin.h>

#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/checkpoint/layout.h"
#include "cadenza/checkpoint/read_checkpoint.h"
#include "cadenza/checkpoint/safetensors.h"

namespace cadenza {
namespace {

template <class Number>
StoredTensor stored(DType dtype, TensorShape shape, const std::vector<Number>& values) {
  const auto owner = std::make_shared<const std::vector<Number>>(values);
  return {dtype, std::move(shape), std::as_bytes(std::span(*owner)), owner};
}

std::vector<float> floats(const StoredTensor& tensor) {
  const auto view = float_view(tensor, "x");
  return {view.data.begin(), view.data.end()};
}

TEST(FloatView, HalfIsThatOfTheProcessorForEveryPattern) {
  std::vector<std::uint16_t> patterns(1 << 16);
  for (std::size_t index = 0; index < patterns.size(); ++index) {
    patterns[index] = static_cast<std::uint16_t>(index);
  }
  const auto ours = floats(stored(DType::kF16, {1 << 16}, patterns));
  for (std::size_t index = 0; index < patterns.size(); ++index) {
    const float theirs = _cvtsh_ss(patterns[index]);
    if (std::isnan(theirs)) {
      EXPECT_TRUE(std::isnan(ours[index])) << index;
    } else {
      EXPECT_EQ(std::bit_cast<std::uint32_t>(ours[index]), std::bit_cast<std::uint32_t>(theirs))
          << index;
    }
  }
}

TEST(FloatView, OtherTypesAreConvertedAndFloatsStayWhereTheyAre) {
  EXPECT_EQ(floats(stored<std::uint16_t>(DType::kBF16, {2}, {0x3F80, 0xC020})),
            (std::vector<float>{1, -2.5}));
  EXPECT_EQ(floats(stored<double>(DType::kF64, {1}, {0.1})), std::vector<float>{0.1F});
  const auto tensor = stored<float>(DType::kF32, {2}, {1, 2});
  EXPECT_EQ(static_cast<const void*>(float_view(tensor, "x").data.data()), tensor.bytes.data());
}

TEST(FloatView, UnalignedFloatsAreCopied) {
  std::vector<std::byte> bytes(9);
  const float value = 1.25F;
  std::memcpy(bytes.data() + 1, &value, sizeof value);
  std::memcpy(bytes.data() + 5, &value, sizeof value);
  const StoredTensor tensor{DType::kF32, {2}, std::span(bytes).subspan(1), nullptr};
  EXPECT_EQ(floats(tensor), (std::vector<float>{1.25F, 1.25F}));
}

TEST(FloatView, IntegersAreRefusedByName) {
  const auto error = error_of([] { floats(stored<std::int64_t>(DType::kI64, {1}, {3})); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_STREQ(error.what(), "x: expected floating numbers, found I64");
}

TEST(DType, NamesAreThoseOfSafetensors) {
  for (const auto* name : {"F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U64", "U32",
                           "U16", "U8", "BOOL"}) {
    const auto dtype = dtype_named(name);
    ASSERT_TRUE(dtype.has_value()) << name;
    EXPECT_EQ(to_string(*dtype), name);
  }
  EXPECT_FALSE(dtype_named("F8_E5M2").has_value());
}

TEST(PackedBytes, ProductsThatOverflowAndNegativeSizesAreErrors) {
  EXPECT_EQ(packed_bytes({3, 4}, DType::kF32, "x"), 48U);
  EXPECT_EQ(packed_bytes({}, DType::kF64, "x"), 8U);
  EXPECT_EQ(packed_bytes({0, std::int64_t{1} << 62}, DType::kF32, "x"), 0U);
  EXPECT_EQ(error_of([] { packed_bytes({1LL << 40, 1LL << 40}, DType::kF32, "x"); }).code(),
            ErrorCode::kCorruptData);
  EXPECT_STREQ(error_of([] { packed_bytes({2, -1}, DType::kF32, "x"); }).what(),
               "x: shape [2, -1] has a negative size");
}

TEST(StoredFloats, TheShapeMustHoldTheNumbers) {
  EXPECT_EQ(floats(stored_floats({2, 1}, {3, 4})), (std::vector<float>{3, 4}));
  EXPECT_EQ(error_of([] { stored_floats({3}, {3, 4}); }).code(), ErrorCode::kInvalidArgument);
}

TEST(Permute, EveryElementGoesWhereTheDefinitionSays) {
  std::vector<float> values(2 * 3 * 4 * 5);
  for (std::size_t index = 0; index < values.size(); ++index) {
    values[index] = static_cast<float>(index);
  }
  const auto moved = permute(stored_floats({2, 3, 4, 5}, values), std::array{3, 2, 0, 1});
  EXPECT_EQ(moved.shape, (TensorShape{5, 4, 2, 3}));
  const auto found = floats(moved);
  for (std::size_t a = 0; a < 2; ++a) {
    for (std::size_t b = 0; b < 3; ++b) {
      for (std::size_t c = 0; c < 4; ++c) {
        for (std::size_t d = 0; d < 5; ++d) {
          EXPECT_EQ(found[((d * 4 + c) * 2 + a) * 3 + b], values[((a * 3 + b) * 4 + c) * 5 + d]);
        }
      }
    }
  }
}

TEST(Permute, AnOrderThatIsNoneIsAnError) {
  const auto tensor = stored_floats({1, 2}, {3, 4});
  EXPECT_EQ(error_of([&] { permute(tensor, std::array{0}); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { permute(tensor, std::array{0, 0}); }).code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { permute(tensor, std::array{0, 2}); }).code(),
            ErrorCode::kInvalidArgument);
}

TEST(GatherStrided, EveryElementSizeIsCopied) {
  const std::vector<std::int64_t> strides{1, 2};
  const auto columns = [&]<class Number>(DType dtype, const std::vector<Number>& values) {
    const auto gathered = gather_strided(std::as_bytes(std::span(values)), dtype, {2, 2}, strides);
    std::vector<Number> found(4);
    std::memcpy(found.data(), gathered.bytes.data(), gathered.bytes.size());
    return found;
  };
  EXPECT_EQ(columns(DType::kU8, std::vector<std::uint8_t>{1, 2, 3, 4}),
            (std::vector<std::uint8_t>{1, 3, 2, 4}));
  EXPECT_EQ(columns(DType::kI16, std::vector<std::int16_t>{1, 2, 3, 4}),
            (std::vector<std::int16_t>{1, 3, 2, 4}));
  EXPECT_EQ(columns(DType::kF64, std::vector<double>{1, 2, 3, 4}),
            (std::vector<double>{1, 3, 2, 4}));
}

TEST(Reshape, TheNumberOfElementsStays) {
  const auto tensor = stored_floats({2, 3}, std::vector<float>(6));
  EXPECT_EQ(reshape(tensor, {6}).shape, TensorShape{6});
  EXPECT_EQ(error_of([&] { reshape(tensor, {5}); }).code(), ErrorCode::kInvalidArgument);
}

TEST(Concat, PartsFollowEachOtherAlongTheFirstAxis) {
  const std::vector<StoredTensor> parts{stored_floats({1, 2}, {1, 2}),
                                        stored_floats({2, 2}, {3, 4, 5, 6})};
  const auto joined = concat(parts);
  EXPECT_EQ(joined.shape, (TensorShape{3, 2}));
  EXPECT_EQ(floats(joined), (std::vector<float>{1, 2, 3, 4, 5, 6}));
}

TEST(Concat, PartsThatDoNotFitAreErrors) {
  const auto code = [](const std::vector<StoredTensor>& parts) {
    return error_of([&] { concat(parts); }).code();
  };
  EXPECT_EQ(code({}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({stored_floats({}, {1})}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({stored_floats({1, 2}, {1, 2}), stored_floats({2, 1}, {1, 2})}),
            ErrorCode::kInvalidArgument);
}

TEST(ReadCheckpoint, TheContentTellsTheFormat) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "weights.pth";  // the name lies
  write_file_atomic(path,
                    write_safetensors({.tensors = {{"a", stored_floats({1}, {2})}}, .texts = {}}));
  EXPECT_TRUE(read_checkpoint(path).tensors.contains("a"));
  const std::filesystem::path data(CADENZA_TESTDATA);
  EXPECT_TRUE(read_checkpoint(data / "zip.pth").tensors.contains("model.f32"));
  EXPECT_TRUE(read_checkpoint(data / "legacy.pth").tensors.contains("model.f32"));
  const auto npz = read_checkpoint(data / "deflated.npz");
  EXPECT_TRUE(npz.tensors.contains("f4"));
  EXPECT_FALSE(npz.tensors.contains("names"));
}

TEST(ReadCheckpoint, AnythingElseIsRefused) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "weights.pth";
  write_file_atomic(path, "Dear reader, this is no checkpoint");
  const auto error = error_of([&] { read_checkpoint(path); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_NE(std::string(error.what()).find(path.string()), std::string::npos);
  EXPECT_EQ(error_of([&] { read_checkpoint(folder.path() / "absent"); }).code(),
            ErrorCode::kNotFound);
}

TEST(UnwrapStateDict, TheUsualWrappersGoAndWhatStandsBesideThem) {
  const auto one = stored_floats({1}, {2});
  const auto names = [&](const std::vector<std::string>& keys) {
    Checkpoint checkpoint;
    for (const auto& key : keys) checkpoint.tensors.emplace(key, one);
    std::vector<std::string> left;
    for (const auto& [name, tensor] : unwrap_state_dict(checkpoint).tensors) left.push_back(name);
    return left;
  };
  EXPECT_EQ(names({"a", "b.c"}), (std::vector<std::string>{"a", "b.c"}));
  EXPECT_EQ(names({"model.a", "optimizer.state.0.exp_avg"}), std::vector<std::string>{"a"});
  EXPECT_EQ(names({"state_dict.module.a", "epoch"}), std::vector<std::string>{"a"});
}

}  // namespace
}  // namespace cadenza
