#include "cadenza/dataset/fit.h"

#include <algorithm>
#include <optional>
#include <vector>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/tensor/shape.h"

namespace cadenza {

namespace {

struct Tap {
  std::int64_t low, high;
  float fraction;
};

/// For each pixel of a side the two cells around it; nothing where the rectangle does not reach.
std::vector<std::optional<Tap>> taps_of(std::int64_t n_pixels, std::int64_t fitted_px,
                                        std::int64_t start_px, std::int64_t window_px,
                                        std::int64_t n_cells) {
  std::vector<std::optional<Tap>> taps(static_cast<std::size_t>(n_pixels));
  for (std::int64_t at = 0; at < n_pixels; ++at) {
    const double inside =
        (double(at) + 0.5) * double(fitted_px) / double(n_pixels) - double(start_px);
    if (inside < 0 || inside >= double(window_px)) continue;
    const double cell = std::max(inside * double(n_cells) / double(window_px) - 0.5, 0.);
    const auto low = std::min(static_cast<std::int64_t>(cell), n_cells - 1);
    taps[std::size_t(at)] = {low, std::min(low + 1, n_cells - 1), float(cell - double(low))};
  }
  return taps;
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
  const auto rows = taps_of(height_px, window.height_px, window.top, input.height_px, map.size(0));
  const auto columns = taps_of(width_px, window.width_px, window.left, input.width_px, n_columns);

  FloatPlane out{height_px, width_px, {}};
  out.values.assign(static_cast<std::size_t>(height_px * width_px),
                    *std::min_element(first, first + cells.numel()));
  std::vector<float> blended(static_cast<std::size_t>(n_columns));
  float* to = out.values.data();
  for (const auto& row : rows) {
    if (!row) {
      to += width_px;
      continue;
    }
    const float* const low = first + row->low * n_columns;
    const float* const high = first + row->high * n_columns;
    for (std::size_t x = 0; x < blended.size(); ++x) {
      blended[x] = low[x] + row->fraction * (high[x] - low[x]);
    }
    for (const auto& column : columns) {
      if (column) {
        const float left = blended[std::size_t(column->low)];
        *to = left + column->fraction * (blended[std::size_t(column->high)] - left);
      }
      ++to;
    }
  }
  return out;
}

}  // namespace cadenza
