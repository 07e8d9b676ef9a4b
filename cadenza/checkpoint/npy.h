#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cadenza/checkpoint/checkpoint.h"

namespace cadenza {

// A .npy file: "\x93NUMPY", version (2 bytes), the length of the header (2 bytes in version 1, 4 in
// 2 and 3), a Python dictionary {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }, the
// elements. numpy/lib/format.py.

/// Texts of an array of type <U (UTF-32 in the file, UTF-8 here), in row-major order.
struct TextArray {
  TensorShape shape;
  std::vector<std::string> texts;
};

using NpyArray = std::variant<StoredTensor, TextArray>;

/// Reads versions 1 to 3: f2 f4 f8 i1..i8 u1..u8 b1 in either byte order, and <U; Fortran order is
/// turned to row-major, packed little-endian elements stay where they lie (kept by `owner`).
/// Errors   kCorruptData naming the array: a header that is none, elements that are not shape x
///          type, a code point that is none. kUnsupported: Python objects, structures, complex
///          numbers, bytes, dates.
NpyArray read_npy(std::span<const std::byte> bytes, std::string_view name,
                  std::shared_ptr<const void> owner);

/// Version 1, row-major, elements at a multiple of 64. Errors: kInvalidArgument for BF16, which
/// numpy lacks, and texts that are not UTF-8.
std::vector<std::byte> write_npy(const NpyArray& array);

}  // namespace cadenza
