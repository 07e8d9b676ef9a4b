#include "cadenza/structure/contrastive/cell_labels.h"

#include <map>
#include <vector>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/image/resize.h"
#include "cadenza/tensor/picture.h"
#include "cadenza/tensor/shape.h"

namespace cadenza {
namespace {

/// The pixel at the centre of each of `n_cells`.
at::Tensor centres(std::int64_t n_pixels, std::int64_t n_cells) {
  return at::arange(n_cells, at::kLong)
      .mul(2)
      .add(1)
      .mul(n_pixels)
      .sub(1)
      .floor_divide(2 * n_cells);
}

at::Tensor nearest(const at::Tensor& maps, std::int64_t rows, std::int64_t columns) {
  return maps.index_select(1, centres(maps.size(1), rows))
      .index_select(2, centres(maps.size(2), columns))
      .to(at::kLong);
}

at::Tensor majority(const at::Tensor& maps, std::int64_t rows, std::int64_t columns) {
  auto labels = at::empty({maps.size(0), rows, columns}, at::kLong);
  const auto given = maps.contiguous();
  const auto* id = given.const_data_ptr<std::int32_t>();
  auto* label = labels.mutable_data_ptr<std::int64_t>();
  const auto height = maps.size(1), width = maps.size(2);
  std::vector<std::map<std::int32_t, std::int64_t>> counts;
  for (std::int64_t image = 0; image < maps.size(0); ++image) {
    counts.assign(static_cast<std::size_t>(rows * columns), {});
    for (std::int64_t y = 0; y < height; ++y) {
      for (std::int64_t x = 0; x < width; ++x, ++id) {
        ++counts[static_cast<std::size_t>(y * rows / height * columns + x * columns / width)][*id];
      }
    }
    for (const auto& of_cell : counts) {
      auto best = of_cell.begin();
      for (auto one = of_cell.begin(); one != of_cell.end(); ++one) {
        if (one->second > best->second) best = one;
      }
      *label++ = best->first;
    }
  }
  return labels;
}

at::Tensor averaged(const at::Tensor& maps, std::int64_t rows, std::int64_t columns) {
  const auto bytes = maps.clamp_max(255).to(at::kByte).unsqueeze(3);
  std::vector<at::Tensor> labels;
  for (std::int64_t image = 0; image < maps.size(0); ++image) {
    const auto small = resize_opencv_linear(image_of(bytes[image]), rows, columns);
    labels.push_back(tensor_of(small).squeeze(2).to(at::kLong));
  }
  return at::stack(labels);
}

}  // namespace

LabelRule parse_label_rule(std::string_view name) {
  if (name == "nearest") return LabelRule::kNearest;
  if (name == "majority") return LabelRule::kMajority;
  CADENZA_REQUIRE(name == "averaged", ErrorCode::kInvalidArgument, "label rule '", name,
                  "': expected one of nearest, majority, averaged");
  return LabelRule::kAveraged;
}

at::Tensor cell_labels(const at::Tensor& maps, std::int64_t rows, std::int64_t columns,
                       LabelRule rule) {
  require_shape(maps, {kAnySize, kAnySize, kAnySize}, "maps [n,H,W]");
  CADENZA_REQUIRE(maps.scalar_type() == at::kInt, ErrorCode::kInvalidArgument,
                  "maps [n,H,W]: expected int32 ids, got ", c10::toString(maps.scalar_type()));
  CADENZA_REQUIRE(rows >= 1 && columns >= 1 && rows <= maps.size(1) && columns <= maps.size(2),
                  ErrorCode::kInvalidArgument, "cells: ", rows, "x", columns, " of a map of ",
                  maps.size(1), "x", maps.size(2));
  const auto labels = rule == LabelRule::kNearest    ? nearest(maps, rows, columns)
                      : rule == LabelRule::kMajority ? majority(maps, rows, columns)
                                                     : averaged(maps, rows, columns);
  return labels.reshape({maps.size(0), rows * columns});
}

}  // namespace cadenza
