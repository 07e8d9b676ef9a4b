#include "cadenza/memory/bank.h"

#include <limits>

#include "tests/support/error_of.h"
#include "tests/support/random_tensor.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cadenza/base/error.h"

namespace cadenza {
namespace {

Bank random_bank(BankCode code) {
  return encode_bank(random_unit_rows(20, 8, 1), at::arange(20), at::arange(65516, 65536), code);
}

TEST(Bank, KeepsItsRowsWithinItsCode) {
  const at::Tensor rows = random_unit_rows(20, 8, 1);
  EXPECT_TRUE(random_bank(BankCode::kFp32).rows().equal(rows));
  EXPECT_TRUE(random_bank(BankCode::kFp16).rows().allclose(rows, 1e-3, 1e-3));
  // Rounding to a code is off by at most half a step of its column.
  const at::Tensor error = (random_bank(BankCode::kInt8).rows() - rows).abs();
  const at::Tensor step = rows.abs().amax(0) / 127;
  EXPECT_TRUE((error <= step * 0.5001).all().item<bool>());
  EXPECT_GT(error.max().item<float>(), 0);
}

TEST(Bank, AColumnOfZerosStaysZero) {
  at::Tensor rows = random_unit_rows(5, 4, 2);
  rows.select(1, 2).zero_();
  const Bank bank = encode_bank(rows, at::arange(5), at::arange(5), BankCode::kInt8);
  EXPECT_EQ(bank.rows().select(1, 2).abs().max().item<float>(), 0);
}

TEST(Bank, ComesBackFromAPieceByteForByte) {
  for (const BankCode code : {BankCode::kInt8, BankCode::kFp16, BankCode::kFp32}) {
    const Bank bank = random_bank(code);
    StatePiece piece;
    save_bank(bank, "bank.1", piece);
    PieceReader reader(piece, "task 1");
    const Bank loaded = load_bank(reader, "bank.1", code, 8);
    reader.finish();
    EXPECT_TRUE(loaded.codes.equal(bank.codes)) << to_string(code);
    EXPECT_TRUE(loaded.rows().equal(bank.rows()));
    EXPECT_TRUE(loaded.owners.equal(bank.owners));
    EXPECT_TRUE(loaded.cells.equal(at::arange(65516, 65536, at::kInt)));
    EXPECT_EQ(piece.tensors.at("bank.1.cells").element_size(), 2);
    EXPECT_EQ(parse_bank_code(to_string(code)), code);
  }
}

TEST(Bank, APrefixIsTheFirstEntries) {
  const Bank bank = random_bank(BankCode::kInt8);
  const Bank prefix = bank.prefix(7);
  EXPECT_EQ(prefix.size(), 7);
  EXPECT_TRUE(prefix.rows().equal(bank.rows().slice(0, 0, 7)));
  EXPECT_TRUE(prefix.owners.equal(bank.owners.slice(0, 0, 7)));
}

TEST(Bank, NothingThatIsNotFiniteIsStoredOrLoaded) {
  at::Tensor rows = random_unit_rows(5, 4, 3);
  rows[1][1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(
      error_of([&] { encode_bank(rows, at::arange(5), at::arange(5), BankCode::kInt8); }).code(),
      ErrorCode::kNumeric);
  StatePiece piece;
  save_bank(random_bank(BankCode::kInt8), "b", piece);
  piece.tensors["b.scales"] = at::full({8}, std::numeric_limits<float>::infinity());
  PieceReader reader(piece, "task 1");
  EXPECT_EQ(error_of([&] { load_bank(reader, "b", BankCode::kInt8, 8); }).code(),
            ErrorCode::kCorruptData);
}

TEST(Bank, ADamagedPieceIsRefusedByName) {
  StatePiece piece;
  save_bank(random_bank(BankCode::kInt8), "b", piece);
  const auto message_with = [&](const std::string& key, const at::Tensor& tensor) {
    StatePiece damaged = piece;
    damaged.tensors[key] = tensor;
    PieceReader reader(damaged, "task 1");
    const Error error = error_of([&] { load_bank(reader, "b", BankCode::kInt8, 8); });
    EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
    return std::string(error.what());
  };
  EXPECT_NE(message_with("b.codes", at::zeros({20, 8})).find("b.codes"), std::string::npos);
  EXPECT_NE(message_with("b.codes", at::zeros({20}, at::kChar)).find("b.codes"), std::string::npos);
  EXPECT_NE(message_with("b.scales", at::zeros({7})).find("b.scales"), std::string::npos);
  EXPECT_NE(message_with("b.owners", at::zeros({19}, at::kInt)).find("b.owners"),
            std::string::npos);
  EXPECT_NE(message_with("b.cells", at::zeros({20}, at::kInt)).find("b.cells"), std::string::npos);
  EXPECT_EQ(error_of([] { parse_bank_code("int4"); }).code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cadenza
