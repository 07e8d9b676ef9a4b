#pragma once

#include <cstdint>
#include <string_view>

#include <ATen/core/Tensor.h>

namespace cadenza {

/// How a cell of a feature grid gets its region's id from a finer map. kNearest: the pixel at the
/// cell's centre. kMajority: the most frequent id of its pixels, of equals the smallest. kAveraged:
/// OpenCV's bilinear resize of ids saturated at 255, which makes up ids on borders: only to repeat
/// what programs of the field did.
enum class LabelRule { kNearest, kMajority, kAveraged };

/// "nearest", "majority", "averaged". Errors: kInvalidArgument listing them.
LabelRule parse_label_rule(std::string_view name);

/// Shapes   maps [n,H,W] int32, ids of at least 0; returns [n, rows*columns] int64, row by row.
/// Errors   kInvalidArgument: shape, type, more rows or columns than pixels.
/// Source   kAveraged: ucad specification 2.2. kNearest: of two middle pixels the former.
at::Tensor cell_labels(const at::Tensor& maps, std::int64_t rows, std::int64_t columns,
                       LabelRule rule);

}  // namespace cadenza
