#include "cadenza/structure/mask/crop_grid.h"

#include <algorithm>

#include "cadenza/base/error.h"

namespace cadenza {

std::vector<GridPoint> point_grid(int n_per_side) {
  CADENZA_REQUIRE(n_per_side >= 1, ErrorCode::kInvalidArgument,
                  "points per side: expected at least 1, found ", n_per_side);
  const auto place = [&](int index) { return (index + 0.5) / n_per_side; };
  std::vector<GridPoint> points;
  for (int row = 0; row < n_per_side; ++row) {
    for (int column = 0; column < n_per_side; ++column) {
      points.push_back({place(column), place(row)});
    }
  }
  return points;
}

std::vector<Crop> crop_grid(std::int64_t height_px, std::int64_t width_px, int n_layers,
                            double overlap) {
  CADENZA_REQUIRE(height_px > 0 && width_px > 0, ErrorCode::kInvalidArgument, "picture ", height_px,
                  "x", width_px, ": expected at least one pixel");
  CADENZA_REQUIRE(n_layers >= 0 && n_layers <= 8, ErrorCode::kInvalidArgument,
                  "crop layers: expected 0 to 8, found ", n_layers);
  CADENZA_REQUIRE(overlap >= 0 && overlap < 1, ErrorCode::kInvalidArgument,
                  "crop overlap: expected [0, 1), found ", overlap);
  std::vector<Crop> crops{{{0, 0, width_px, height_px}, 0}};
  for (int layer = 1; layer <= n_layers; ++layer) {
    const std::int64_t n_side = std::int64_t{1} << layer;
    const auto shared =
        static_cast<std::int64_t>(overlap * static_cast<double>(std::min(height_px, width_px)) *
                                  (2 / static_cast<double>(n_side)));
    const auto length = [&](std::int64_t whole) {
      return (shared * (n_side - 1) + whole + n_side - 1) / n_side;
    };
    const auto width = length(width_px), height = length(height_px);
    for (std::int64_t column = 0; column < n_side; ++column) {
      for (std::int64_t row = 0; row < n_side; ++row) {
        const auto left = (width - shared) * column, top = (height - shared) * row;
        crops.push_back(
            {{left, top, std::min(left + width, width_px), std::min(top + height, height_px)},
             layer});
      }
    }
  }
  return crops;
}

}  // namespace cadenza
