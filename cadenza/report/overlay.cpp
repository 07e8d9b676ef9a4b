#include "cadenza/report/overlay.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string>

#include "cadenza/base/error.h"
#include "cadenza/report/legend_font.h"

namespace cadenza {
namespace {

using Colour = std::array<double, 3>;

/// Gold at the calm level and up to the threshold, through orange, to crimson where full.
struct Paint {
  Colour colour;
  double cover = 0;  ///< 0 leaves the photograph as it is
};

Colour mix(const Colour& from, const Colour& to, double part) {
  Colour mixed;
  for (std::size_t channel = 0; channel < 3; ++channel) {
    mixed[channel] = from[channel] + (to[channel] - from[channel]) * part;
  }
  return mixed;
}

Paint paint_of(double value, const OverlayScale& scale) {
  constexpr Colour kGold = {255, 205, 70}, kOrange = {240, 115, 30}, kCrimson = {185, 10, 60};
  constexpr double kCoverAtThreshold = 0.30, kCoverWhenFull = 0.72;
  if (value <= scale.calm) return {};
  if (value <= scale.threshold) {
    const auto part = (value - scale.calm) / (scale.threshold - scale.calm);
    return {kGold, kCoverAtThreshold * part};
  }
  const auto part = std::min((value - scale.threshold) / (scale.full - scale.threshold), 1.0);
  const auto colour =
      part < 0.5 ? mix(kGold, kOrange, 2 * part) : mix(kOrange, kCrimson, 2 * part - 1);
  return {colour, kCoverAtThreshold + (kCoverWhenFull - kCoverAtThreshold) * part};
}

class Canvas {
 public:
  explicit Canvas(Image& rgb) : rgb_(rgb) {}
  void blend(std::int64_t y, std::int64_t x, const Paint& paint) {
    const auto first = static_cast<std::size_t>((y * rgb_.width_px + x) * 3);
    for (std::size_t channel = 0; channel < 3; ++channel) {
      auto& value = rgb_.pixels[first + channel];
      const auto mixed = value + (paint.colour[channel] - value) * paint.cover;
      value = static_cast<std::uint8_t>(std::lround(mixed));
    }
  }

 private:
  Image& rgb_;
};

/// The picture in RGB on top of `extra_rows` dark ones.
Image enlarged_rgb(const Image& picture, std::int64_t extra_rows) {
  constexpr std::uint8_t kStrip = 26;
  Image rgb{picture.height_px + extra_rows, picture.width_px, 3, {}};
  rgb.pixels.assign(static_cast<std::size_t>(rgb.height_px * rgb.width_px * 3), kStrip);
  if (picture.n_channels == 3) {
    std::ranges::copy(picture.pixels, rgb.pixels.begin());
    return rgb;
  }
  for (std::size_t pixel = 0; pixel < picture.pixels.size(); ++pixel) {
    std::fill_n(rgb.pixels.begin() + static_cast<std::ptrdiff_t>(3 * pixel), 3,
                picture.pixels[pixel]);
  }
  return rgb;
}

std::string short_number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3g", value);
  return text.data();
}

/// Where things stand in the strip below the picture.
struct LegendLayout {
  std::int64_t enlarged, margin, bar_height, height;

  explicit LegendLayout(std::int64_t width_px)
      : enlarged(std::clamp<std::int64_t>(width_px / 300, 1, 12)),
        margin(5 * enlarged),
        bar_height(4 * enlarged),
        height(margin + bar_height + 3 * enlarged + kLetterHeightPx * enlarged + margin) {}
};

void draw_legend(Image& rgb, std::int64_t top, const OverlayScale& scale) {
  const LegendLayout layout(rgb.width_px);
  const auto bar_top = top + layout.margin, bar_end = bar_top + layout.bar_height;
  const auto bar_width = rgb.width_px - 2 * layout.margin;
  const auto column_of = [&](double value) {
    const auto part = (value - scale.calm) / (scale.full - scale.calm);
    return layout.margin + std::int64_t{std::lround(part * static_cast<double>(bar_width - 1))};
  };
  Canvas canvas(rgb);
  for (std::int64_t column = 0; column < bar_width; ++column) {
    const auto part = static_cast<double>(column) / static_cast<double>(bar_width - 1);
    auto paint = paint_of(scale.calm + part * (scale.full - scale.calm), scale);
    for (auto y = bar_top; y < bar_end; ++y) {
      canvas.blend(y, layout.margin + column, {{150, 150, 150}, 1});
      canvas.blend(y, layout.margin + column, paint);
    }
  }
  const auto tick = column_of(scale.threshold);
  for (auto y = bar_top - layout.enlarged; y < bar_end + layout.enlarged; ++y) {
    for (auto x = tick; x < std::min(tick + layout.enlarged, rgb.width_px); ++x) {
      canvas.blend(y, x, {{240, 240, 240}, 1});
    }
  }

  const auto text_top = bar_end + 3 * layout.enlarged;
  auto low = short_number(scale.calm), middle = short_number(scale.threshold),
       high = short_number(scale.full);
  const auto width_of = [&](const std::string& text) {
    return text_width_px(text, layout.enlarged);
  };
  const auto gap = 2 * kLetterStepPx * layout.enlarged;
  const auto left = layout.margin, right = rgb.width_px - layout.margin;
  const auto middle_start = [&](const std::string& text) {
    return std::clamp(
        tick - width_of(text) / 2, left + width_of(low) + gap,
        std::max(left + width_of(low) + gap, right - width_of(high) - gap - width_of(text)));
  };
  const auto with_word = middle + " threshold";
  const bool has_room =
      width_of(low) + width_of(with_word) + width_of(high) + 2 * gap <= right - left;
  if (has_room) middle = with_word;
  constexpr std::uint8_t kQuiet = 165, kClear = 240;
  draw_text(rgb, low, left, text_top, layout.enlarged, kQuiet);
  draw_text(rgb, middle, middle_start(middle), text_top, layout.enlarged, kClear);
  draw_text(rgb, high, right - width_of(high), text_top, layout.enlarged, kQuiet);
}

/// Paints pixels above the threshold that have a pixel not above it within `reach`.
void draw_outlines(Image& rgb, std::span<const float> map, std::int64_t height_px,
                   double threshold) {
  const auto width_px = rgb.width_px;
  const auto reach = std::clamp<std::int64_t>(std::max(height_px, width_px) / 500, 1, 8);
  const auto exceeds = [&](std::int64_t y, std::int64_t x) {
    const auto row = std::clamp<std::int64_t>(y, 0, height_px - 1);
    const auto column = std::clamp<std::int64_t>(x, 0, width_px - 1);
    return map[static_cast<std::size_t>(row * width_px + column)] > threshold;
  };
  Canvas canvas(rgb);
  for (std::int64_t y = 0; y < height_px; ++y) {
    for (std::int64_t x = 0; x < width_px; ++x) {
      if (!exceeds(y, x)) continue;
      const bool is_edge = !exceeds(y - reach, x) || !exceeds(y + reach, x) ||
                           !exceeds(y, x - reach) || !exceeds(y, x + reach);
      if (is_edge) canvas.blend(y, x, {{200, 15, 60}, 0.9});
    }
  }
}

void require_size(std::span<const float> map, std::int64_t height_px, std::int64_t width_px) {
  CADENZA_REQUIRE(height_px > 0 && width_px > 0 && std::ssize(map) == height_px * width_px,
                  ErrorCode::kInvalidArgument, "overlay: expected a map of ", height_px, " x ",
                  width_px, " values, as large as the picture, found ", map.size());
}

}  // namespace

OverlayScale OverlayScale::around(double map_threshold) {
  const auto size = map_threshold == 0 ? 1 : std::abs(map_threshold);
  return {
      .calm = map_threshold - size / 4, .threshold = map_threshold, .full = map_threshold + size};
}

Image draw_overlay(const Image& picture, std::span<const float> map, const OverlayScale& scale,
                   const OverlayOptions& options) {
  require_size(map, picture.height_px, picture.width_px);
  CADENZA_REQUIRE(scale.calm < scale.threshold && scale.threshold < scale.full,
                  ErrorCode::kInvalidArgument,
                  "overlay scale: expected calm < threshold < full, found ", scale.calm, ", ",
                  scale.threshold, ", ", scale.full);
  const bool has_legend = options.has_legend && picture.width_px >= kLegendMinWidthPx;
  const auto legend_height = has_legend ? LegendLayout(picture.width_px).height : 0;
  Image rgb = enlarged_rgb(picture, legend_height);
  Canvas canvas(rgb);
  for (std::int64_t y = 0; y < picture.height_px; ++y) {
    for (std::int64_t x = 0; x < picture.width_px; ++x) {
      const double value = map[static_cast<std::size_t>(y * picture.width_px + x)];
      if (value > scale.calm) canvas.blend(y, x, paint_of(value, scale));
    }
  }
  draw_outlines(rgb, map, picture.height_px, scale.threshold);
  if (has_legend) draw_legend(rgb, picture.height_px, scale);
  return rgb;
}

Image draw_mask(std::span<const float> map, std::int64_t height_px, std::int64_t width_px,
                double threshold) {
  require_size(map, height_px, width_px);
  Image mask{height_px, width_px, 1, {}};
  mask.pixels.resize(map.size());
  std::ranges::transform(map, mask.pixels.begin(), [threshold](float value) {
    return static_cast<std::uint8_t>(value > threshold ? 255 : 0);
  });
  return mask;
}

}  // namespace cadenza
