#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <ATen/core/Tensor.h>

#include "cadenza/tensor/state.h"

namespace cadenza {

/// How a bank's numbers are stored: 1, 2 or 4 bytes.
enum class BankCode { kInt8, kFp16, kFp32 };

std::string_view to_string(BankCode code) noexcept;  // "int8"
/// Errors: kInvalidArgument.
BankCode parse_bank_code(std::string_view name);

/// Selected vectors of one task and where each came from, in selection order: any prefix is a valid
/// smaller bank. A value; what is searched are rows(), the stored (rounded) numbers.
///
/// int8: column d has the scale max |row[d]| / 127, a code is round(row[d] / scale).
struct Bank {
  at::Tensor codes;   ///< [N,D] int8, float16 or float32
  at::Tensor scales;  ///< [D] float32 for int8, else undefined
  at::Tensor owners;  ///< [N] int32, the image an entry came from
  at::Tensor cells;   ///< [N] int32, its place in that image's grid, row by row

  std::int64_t size() const { return codes.size(0); }
  /// What is searched: [N,D] float32, decoded.
  at::Tensor rows() const;
  /// The first `n_rows` entries. Scores change: calibrate again.
  Bank prefix(std::int64_t n_rows) const;
};

/// Shapes   rows [N,D] float32, owners [N] and cells [N] of an integer type, cells below 65536.
/// Errors   kInvalidArgument: shapes. kNumeric: NaN or Inf, never stored.
Bank encode_bank(const at::Tensor& rows, const at::Tensor& owners, const at::Tensor& cells,
                 BankCode code);

/// Writes the bank under keys that begin with `prefix` + ".": codes, scales, owners (4 bytes each),
/// cells (2 bytes each, unsigned).
void save_bank(const Bank& bank, const std::string& prefix, StatePiece& piece);

/// Errors: kCorruptData naming the key: types, shapes, scales or codes that no bank has.
Bank load_bank(PieceReader& piece, const std::string& prefix, BankCode code, std::int64_t dim);

}  // namespace cadenza
