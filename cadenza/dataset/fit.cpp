#include "cadenza/dataset/fit.h"

#include <algorithm>
#include <vector>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/tensor/rows.h"
#include "cadenza/tensor/shape.h"

namespace cadenza {

namespace {

/// Where the pixels of one side lie between cells: pixels [begin[c], begin[c + 1]) lie between the
/// centres of cells c and c + 1, `fraction` of the way; the first and the last few may lie nowhere.
struct Placement {
  std::vector<std::int64_t> begin;  // [n_cells+1]
  std::vector<float> fraction;      // [n_pixels]
};

Placement place(std::int64_t n_pixels, std::int64_t fitted_px, std::int64_t start_px,
                std::int64_t window_px, std::int64_t n_cells) {
  Placement placed;
  placed.fraction.resize(static_cast<std::size_t>(n_pixels));
  std::int64_t end = 0;
  for (std::int64_t at = 0; at < n_pixels; ++at) {
    const double inside =
        (double(at) + 0.5) * double(fitted_px) / double(n_pixels) - double(start_px);
    if (inside < 0 || inside >= double(window_px)) continue;
    const double cell = std::max(inside * double(n_cells) / double(window_px) - 0.5, 0.);
    const auto low = std::min(static_cast<std::int64_t>(cell), n_cells - 1);
    placed.fraction[std::size_t(at)] = float(cell - double(low));
    while (std::ssize(placed.begin) <= low) placed.begin.push_back(at);
    end = at + 1;
  }
  placed.begin.resize(static_cast<std::size_t>(n_cells + 1), end);
  return placed;
}

}  // namespace

FittedWindow fitted_window(const InputSpec& input, std::int64_t height_px, std::int64_t width_px) {
  CADENZA_REQUIRE(height_px > 0 && width_px > 0, ErrorCode::kInvalidArgument, "a picture of ",
                  width_px, "x", height_px, " px; both sides need at least 1");
  CADENZA_REQUIRE(input.height_px > 0 && input.width_px > 0, ErrorCode::kInvalidArgument,
                  "InputSpec: ", input.width_px, "x", input.height_px,
                  " px; both sides need at least 1");
  CADENZA_REQUIRE(input.fit != Fit::kTiles, ErrorCode::kUnsupported,
                  "InputSpec: fit kTiles has no single rectangle; give its tiles one by one as "
                  "pictures with kSquash");
  if (input.fit == Fit::kSquash) return {input.height_px, input.width_px, 0, 0};
  CADENZA_REQUIRE(input.height_px == input.width_px, ErrorCode::kInvalidArgument,
                  "InputSpec: kShortSideCrop needs a square, got ", input.width_px, "x",
                  input.height_px, " px");
  const auto size = short_side_size(height_px, width_px, input.height_px);
  return {size.height_px, size.width_px, centre_crop_start(size.height_px, input.height_px),
          centre_crop_start(size.width_px, input.width_px)};
}

FloatPlane map_to_image(const at::Tensor& map, const InputSpec& input, std::int64_t height_px,
                        std::int64_t width_px) {
  require_shape(map, {kAnySize, kAnySize}, "map [h,w]");
  CADENZA_REQUIRE(map.scalar_type() == at::kFloat && map.numel() > 0, ErrorCode::kInvalidArgument,
                  "map [h,w]: expected float32 with at least one cell, got ",
                  at::toString(map.scalar_type()), " with ", map.numel());
  const auto window = fitted_window(input, height_px, width_px);
  const at::Tensor cells = map.contiguous();
  const float* const first = cells.const_data_ptr<float>();
  const auto n_columns = cells.size(1);
  const auto n_rows = cells.size(0);
  const auto rows = place(height_px, window.height_px, window.top, input.height_px, n_rows);
  const auto columns = place(width_px, window.width_px, window.left, input.width_px, n_columns);

  const float lowest = *std::min_element(first, first + cells.numel());
  std::vector<float> blended(static_cast<std::size_t>(n_columns));
  std::vector<float> line(static_cast<std::size_t>(width_px), lowest);
  FloatPlane out{height_px, width_px, {}};
  out.values.reserve(static_cast<std::size_t>(height_px * width_px));
  const auto append = [&] { out.values.insert(out.values.end(), line.begin(), line.end()); };
  const auto append_unseen = [&](std::int64_t count) {
    out.values.insert(out.values.end(), static_cast<std::size_t>(count * width_px), lowest);
  };
  append_unseen(rows.begin.front());
  for (std::int64_t row = 0; row < n_rows; ++row) {
    const float* const low = first + row * n_columns;
    const float* const high = first + std::min(row + 1, n_rows - 1) * n_columns;
    for (auto y = rows.begin[std::size_t(row)]; y < rows.begin[std::size_t(row + 1)]; ++y) {
      const float fraction = rows.fraction[std::size_t(y)];
      for (std::size_t x = 0; x < blended.size(); ++x) {
        blended[x] = low[x] + fraction * (high[x] - low[x]);
      }
      stretch(blended, columns.begin, columns.fraction, line);
      append();
    }
  }
  append_unseen(height_px - rows.begin.back());
  return out;
}

}  // namespace cadenza
