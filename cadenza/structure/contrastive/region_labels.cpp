#include "cadenza/structure/contrastive/region_labels.h"

#include <utility>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/structure/felzenszwalb.h"
#include "cadenza/structure/slic.h"
#include "cadenza/tensor/picture.h"

namespace cadenza {
namespace {

constexpr std::int64_t kGridCells = 5;

at::Tensor grid_labels(std::int64_t rows, std::int64_t columns) {
  const auto squares = [](std::int64_t n) { return at::arange(n).floor_divide(kGridCells); };
  const auto n_across = (columns + kGridCells - 1) / kGridCells;
  return (squares(rows).unsqueeze(1) * n_across + squares(columns)).view({1, -1});
}

at::Tensor region_map(const at::Tensor& pixels, const std::string& structure) {
  const auto picture = image_of(pixels);
  const auto map = structure == "slic" ? slic(picture) : felzenszwalb(picture, {.scale = 100});
  return at::tensor(map.ids, at::kInt).view({1, map.height_px, map.width_px});
}

}  // namespace

RegionLabels::RegionLabels(const TaskData& data, RegionLabelOptions options)
    : data_(data), options_(std::move(options)), known_(static_cast<std::size_t>(data.size())) {}

at::Tensor RegionLabels::of_image(std::int64_t image) {
  auto& known = known_[static_cast<std::size_t>(image)];
  if (known.defined()) return known;
  if (options_.structure == "grid") return known = grid_labels(options_.rows, options_.columns);
  const auto map = data_.structure(image, image + 1);
  CADENZA_REQUIRE(map.has_value(), ErrorCode::kInvalidArgument, "training of '",
                  data_.tasks()[0].name,
                  "': the contrastive loss needs region maps of the images, and there are none; "
                  "they come with what opened the images, or set structure=grid");
  return known = cell_labels(*map, options_.rows, options_.columns, options_.rule);
}

at::Tensor RegionLabels::of_pixels(const at::Tensor& pixels) const {
  std::vector<at::Tensor> all;
  for (std::int64_t row = 0; row < pixels.size(0); ++row) {
    all.push_back(options_.structure == "grid"
                      ? grid_labels(options_.rows, options_.columns)
                      : cell_labels(region_map(pixels[row], options_.structure), options_.rows,
                                    options_.columns, options_.rule));
  }
  return at::cat(all);
}

}  // namespace cadenza
