#include "cadenza/memory/bank.h"

#include <array>
#include <utility>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/base/suggest.h"
#include "cadenza/tensor/shape.h"

namespace cadenza {
namespace {

constexpr std::array<std::pair<BankCode, std::string_view>, 3> kNames{
    {{BankCode::kInt8, "int8"}, {BankCode::kFp16, "fp16"}, {BankCode::kFp32, "fp32"}}};

at::ScalarType type_of(BankCode code) {
  switch (code) {
    case BankCode::kInt8:
      return at::kChar;
    case BankCode::kFp16:
      return at::kHalf;
    case BankCode::kFp32:
      return at::kFloat;
  }
  return at::kFloat;
}

bool is_finite(const at::Tensor& values) { return at::isfinite(values).all().item<bool>(); }

}  // namespace

std::string_view to_string(BankCode code) noexcept {
  for (const auto& [value, name] : kNames) {
    if (value == code) return name;
  }
  return "?";
}

BankCode parse_bank_code(std::string_view name) {
  for (const auto& [value, known] : kNames) {
    if (known == name) return value;
  }
  throw Error(ErrorCode::kInvalidArgument,
              cat("bank code '", name, "': expected int8, fp16 or fp32"));
}

at::Tensor Bank::rows() const {
  const at::Tensor values = codes.to(at::kFloat);
  return scales.defined() ? values * scales : values;
}

Bank Bank::prefix(std::int64_t n_rows) const {
  const auto first = [&](const at::Tensor& all) { return all.slice(0, 0, n_rows).clone(); };
  return {first(codes), scales, first(owners), first(cells)};
}

Bank encode_bank(const at::Tensor& rows, const at::Tensor& owners, const at::Tensor& cells,
                 BankCode code) {
  require_shape(rows, {kAnySize, kAnySize}, "rows [N,D]");
  require_shape(owners, {rows.size(0)}, "owners [N]");
  require_shape(cells, {rows.size(0)}, "cells [N]");
  CADENZA_REQUIRE(is_finite(rows), ErrorCode::kNumeric, "rows [N,D]: a value is not finite");
  Bank bank{.owners = owners.to(at::kInt).contiguous(), .cells = cells.to(at::kInt).contiguous()};
  if (code != BankCode::kInt8) {
    bank.codes = rows.to(type_of(code)).contiguous();
    return bank;
  }
  bank.scales =
      rows.size(0) > 0 ? rows.abs().amax(0).div_(127) : at::zeros({rows.size(1)}, rows.options());
  // A column of zeros has scale 0: its codes are 0 whatever they are divided by.
  const at::Tensor divisor = bank.scales.where(bank.scales > 0, 1.0);
  bank.codes = rows.div(divisor).round_().clamp_(-127, 127).to(at::kChar).contiguous();
  return bank;
}

void save_bank(const Bank& bank, const std::string& prefix, StatePiece& piece) {
  piece.tensors[prefix + ".codes"] = bank.codes;
  if (bank.scales.defined()) piece.tensors[prefix + ".scales"] = bank.scales;
  piece.tensors[prefix + ".owners"] = bank.owners;
  // 65535 cells fit in 2 bytes: stored as the int16 of the same bits, which every reader knows.
  piece.tensors[prefix + ".cells"] = bank.cells.to(at::kShort);
}

Bank load_bank(PieceReader& piece, const std::string& prefix, BankCode code, std::int64_t dim) {
  const auto take = [&](const char* key, at::ScalarType type, at::IntArrayRef sizes) {
    at::Tensor tensor = piece.tensor(prefix + key);
    const bool matches = tensor.scalar_type() == type && tensor.sizes() == sizes;
    CADENZA_REQUIRE(matches, ErrorCode::kCorruptData, prefix, key, ": expected ",
                    at::toString(type), " ", sizes, ", found ", at::toString(tensor.scalar_type()),
                    " ", tensor.sizes());
    return tensor.contiguous();
  };
  const at::Tensor& found = piece.tensor(prefix + ".codes");
  const std::int64_t n_rows = found.dim() == 2 ? found.size(0) : 0;
  Bank bank;
  bank.codes = take(".codes", type_of(code), {n_rows, dim});
  if (code == BankCode::kInt8) bank.scales = take(".scales", at::kFloat, {dim});
  bank.owners = take(".owners", at::kInt, {n_rows});
  bank.cells = take(".cells", at::kShort, {n_rows}).to(at::kInt).bitwise_and(0xFFFF);
  CADENZA_REQUIRE(is_finite(bank.rows()), ErrorCode::kCorruptData, prefix,
                  ": an entry is not finite");
  return bank;
}

}  // namespace cadenza
