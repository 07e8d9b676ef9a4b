#include "cadenza/image/resize.h"

#include <algorithm>
#include <cmath>

#include "cadenza/base/error.h"

namespace cadenza {

namespace {

void require_size(std::int64_t height_px, std::int64_t width_px) {
  CADENZA_REQUIRE(height_px > 0 && width_px > 0, ErrorCode::kInvalidArgument, "resize to ",
                  width_px, "x", height_px, " px");
}

// ---- weights ------------------------------------------------------------------------------------

/// For each output pixel the first input pixel and the weights from there on, `width` of them.
template <class Weight>
struct Taps {
  std::int64_t width = 0;
  std::vector<std::int64_t> first;
  std::vector<Weight> weights;  // [n_out, width], zero behind the last
};

double triangle(double t) { return std::max(0., 1 - std::abs(t)); }

/// Keys' cubic with a = -0.5.
double cubic(double t) {
  constexpr double kA = -0.5;
  t = std::abs(t);
  if (t < 1) return ((kA + 2) * t - (kA + 3)) * t * t + 1;
  if (t < 2) return kA * (((t - 5) * t + 8) * t - 4);
  return 0;
}

/// An output pixel's weights in double precision: its centre in the input, its support widened by
/// the scale when shrinking, normalised to sum 1.
Taps<double> filter_taps(std::int64_t n_in, std::int64_t n_out, double (*filter)(double),
                         double radius) {
  const double scale = double(n_in) / double(n_out), stretch = std::max(scale, 1.);
  const double support = radius * stretch;
  Taps<double> taps;
  taps.width = static_cast<std::int64_t>(std::ceil(support)) * 2 + 1;
  taps.weights.resize(static_cast<std::size_t>(n_out * taps.width));
  for (std::int64_t out = 0; out < n_out; ++out) {
    const double centre = (double(out) + 0.5) * scale;
    const auto low = std::max<std::int64_t>(static_cast<std::int64_t>(centre - support + 0.5), 0);
    const auto high =
        std::min<std::int64_t>(static_cast<std::int64_t>(centre + support + 0.5), n_in);
    double* const weights = taps.weights.data() + out * taps.width;
    double sum = 0;
    for (auto at = low; at < high; ++at) {
      weights[at - low] = filter((double(at) - centre + 0.5) / stretch);
      sum += weights[at - low];
    }
    for (auto at = low; at < high; ++at) weights[at - low] /= sum;
    taps.first.push_back(low);
  }
  return taps;
}

/// Trailing taps that no output uses would read behind the input.
template <class Weight>
std::int64_t used_width(const Taps<Weight>& taps, std::int64_t out, std::int64_t n_in) {
  return std::min(taps.width, n_in - taps.first[static_cast<std::size_t>(out)]);
}

// ---- Pillow -------------------------------------------------------------------------------------

constexpr int kPillowBits = 22;

Taps<std::int32_t> pillow_taps(std::int64_t n_in, std::int64_t n_out, PillowFilter filter) {
  const auto exact = filter == PillowFilter::kBilinear ? filter_taps(n_in, n_out, triangle, 1)
                                                       : filter_taps(n_in, n_out, cubic, 2);
  Taps<std::int32_t> taps{exact.width, exact.first, {}};
  for (const double weight : exact.weights) {
    const double scaled = weight * (1 << kPillowBits);
    taps.weights.push_back(static_cast<std::int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5));
  }
  return taps;
}

std::uint8_t pillow_value(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kPillowBits, 0, 255));
}

Image pillow_horizontal(const Image& image, std::int64_t width_px, PillowFilter filter) {
  const auto taps = pillow_taps(image.width_px, width_px, filter);
  const auto n_channels = image.n_channels;
  Image out{image.height_px, width_px, n_channels, {}};
  out.pixels.resize(static_cast<std::size_t>(out.height_px * width_px * n_channels));
  auto* to = out.pixels.data();
  for (std::int64_t y = 0; y < image.height_px; ++y) {
    const auto* const row = image.pixels.data() + y * image.width_px * n_channels;
    for (std::int64_t x = 0; x < width_px; ++x) {
      const auto* const weights = taps.weights.data() + x * taps.width;
      const auto* const from = row + taps.first[std::size_t(x)] * n_channels;
      const auto n_taps = used_width(taps, x, image.width_px);
      for (std::int64_t c = 0; c < n_channels; ++c) {
        std::int32_t sum = 1 << (kPillowBits - 1);
        for (std::int64_t at = 0; at < n_taps; ++at) sum += weights[at] * from[at * n_channels + c];
        *to++ = pillow_value(sum);
      }
    }
  }
  return out;
}

Image pillow_vertical(const Image& image, std::int64_t height_px, PillowFilter filter) {
  const auto taps = pillow_taps(image.height_px, height_px, filter);
  const auto row_bytes = image.width_px * image.n_channels;
  Image out{height_px, image.width_px, image.n_channels, {}};
  out.pixels.resize(static_cast<std::size_t>(height_px * row_bytes));
  std::vector<std::int32_t> sums(static_cast<std::size_t>(row_bytes));
  for (std::int64_t y = 0; y < height_px; ++y) {
    std::ranges::fill(sums, 1 << (kPillowBits - 1));
    const auto n_taps = used_width(taps, y, image.height_px);
    for (std::int64_t at = 0; at < n_taps; ++at) {
      const auto weight = taps.weights[std::size_t(y * taps.width + at)];
      const auto* const from = image.pixels.data() + (taps.first[std::size_t(y)] + at) * row_bytes;
      for (std::size_t x = 0; x < sums.size(); ++x) sums[x] += weight * from[x];
    }
    auto* const to = out.pixels.data() + y * row_bytes;
    for (std::size_t x = 0; x < sums.size(); ++x) to[x] = pillow_value(sums[x]);
  }
  return out;
}

/// The input pixel under each output pixel's centre. Pillow adds the scale up instead of
/// multiplying, which rounds differently where a centre falls between two pixels.
std::vector<std::int64_t> nearest_sources(std::int64_t n_in, std::int64_t n_out) {
  const double scale = double(n_in) / double(n_out);
  std::vector<std::int64_t> sources;
  double position = 0.5 * scale;
  for (std::int64_t out = 0; out < n_out; ++out, position += scale) {
    sources.push_back(std::min(static_cast<std::int64_t>(position), n_in - 1));
  }
  return sources;
}

Image pillow_nearest(const Image& image, std::int64_t height_px, std::int64_t width_px) {
  const auto rows = nearest_sources(image.height_px, height_px);
  const auto columns = nearest_sources(image.width_px, width_px);
  Image out{height_px, width_px, image.n_channels, {}};
  out.pixels.reserve(static_cast<std::size_t>(height_px * width_px * image.n_channels));
  for (const auto y : rows) {
    for (const auto x : columns) {
      for (std::int64_t c = 0; c < image.n_channels; ++c) out.pixels.push_back(image.at(y, x, c));
    }
  }
  return out;
}

// ---- OpenCV -------------------------------------------------------------------------------------

struct LinearTap {
  std::int64_t low, high;
  std::int32_t low_weight, high_weight;  // of 2048
};

std::vector<LinearTap> opencv_taps(std::int64_t n_in, std::int64_t n_out) {
  constexpr double kOne = 2048;
  const double scale = double(n_in) / double(n_out);
  std::vector<LinearTap> taps;
  for (std::int64_t out = 0; out < n_out; ++out) {
    const auto position = static_cast<float>((double(out) + 0.5) * scale - 0.5);
    auto low = static_cast<std::int64_t>(std::floor(position));
    float fraction = position - static_cast<float>(low);
    if (low < 0) low = 0, fraction = 0;
    if (low >= n_in - 1) low = n_in - 1, fraction = 0;
    taps.push_back({low, std::min(low + 1, n_in - 1),
                    static_cast<std::int32_t>(std::nearbyint((1 - double(fraction)) * kOne)),
                    static_cast<std::int32_t>(std::nearbyint(double(fraction) * kOne))});
  }
  return taps;
}

}  // namespace

Image resize_pillow(const Image& image, std::int64_t height_px, std::int64_t width_px,
                    PillowFilter filter) {
  require_size(height_px, width_px);
  if (filter == PillowFilter::kNearest) return pillow_nearest(image, height_px, width_px);
  const bool keeps_width = image.width_px == width_px, keeps_height = image.height_px == height_px;
  if (keeps_width && keeps_height) return image;
  if (keeps_width) return pillow_vertical(image, height_px, filter);
  Image narrowed = pillow_horizontal(image, width_px, filter);
  return keeps_height ? narrowed : pillow_vertical(narrowed, height_px, filter);
}

Image resize_opencv_linear(const Image& image, std::int64_t height_px, std::int64_t width_px) {
  require_size(height_px, width_px);
  if (image.height_px == height_px && image.width_px == width_px) return image;
  const auto rows = opencv_taps(image.height_px, height_px);
  const auto columns = opencv_taps(image.width_px, width_px);
  Image out{height_px, width_px, image.n_channels, {}};
  out.pixels.reserve(static_cast<std::size_t>(height_px * width_px * image.n_channels));
  for (const auto& row : rows) {
    for (const auto& column : columns) {
      for (std::int64_t c = 0; c < image.n_channels; ++c) {
        const auto across = [&](std::int64_t y) {
          return column.low_weight * image.at(y, column.low, c) +
                 column.high_weight * image.at(y, column.high, c);
        };
        const std::int32_t value = ((row.low_weight * (across(row.low) >> 4)) >> 16) +
                                   ((row.high_weight * (across(row.high) >> 4)) >> 16);
        out.pixels.push_back(static_cast<std::uint8_t>(std::clamp((value + 2) >> 2, 0, 255)));
      }
    }
  }
  return out;
}

void resize_triangle(const Image& image, std::int64_t height_px, std::int64_t width_px,
                     const Normalisation& normalisation, std::span<float> out) {
  require_size(height_px, width_px);
  const auto plane = static_cast<std::size_t>(height_px * width_px);
  CADENZA_REQUIRE(out.size() == 3 * plane, ErrorCode::kInvalidArgument,
                  "resize_triangle: ", out.size(), " values for 3x", height_px, "x", width_px);
  const auto to_float = [](const Taps<double>& exact) {
    return Taps<float>{exact.width, exact.first, {exact.weights.begin(), exact.weights.end()}};
  };
  const auto rows = to_float(filter_taps(image.height_px, height_px, triangle, 1));
  const auto columns = to_float(filter_taps(image.width_px, width_px, triangle, 1));
  const auto n_channels = image.n_channels;
  const auto row_values = static_cast<std::size_t>(image.width_px * n_channels);

  std::array<float, 3> gain{}, shift{};
  for (std::size_t c = 0; c < 3; ++c) {
    gain[c] = 1 / (255 * normalisation.stddev[c]);
    shift[c] = -normalisation.mean[c] / normalisation.stddev[c];
  }
  // Down the columns first: whole rows at a time, which is what the processor likes.
  std::vector<float> row(row_values);
  for (std::int64_t y = 0; y < height_px; ++y) {
    std::ranges::fill(row, 0.F);
    const auto n_rows = used_width(rows, y, image.height_px);
    for (std::int64_t at = 0; at < n_rows; ++at) {
      const float weight = rows.weights[std::size_t(y * rows.width + at)];
      if (weight == 0) continue;
      const auto* const from =
          image.pixels.data() + std::size_t(rows.first[std::size_t(y)] + at) * row_values;
      float* const sums = row.data();
      for (std::size_t x = 0; x < row_values; ++x) sums[x] += weight * float(from[x]);
    }
    for (std::int64_t x = 0; x < width_px; ++x) {
      const float* const weights = columns.weights.data() + x * columns.width;
      const float* const from = row.data() + columns.first[std::size_t(x)] * n_channels;
      const auto n_columns = used_width(columns, x, image.width_px);
      std::array<float, 3> sums{};
      if (n_channels == 1) {
        for (std::int64_t at = 0; at < n_columns; ++at) sums[0] += weights[at] * from[at];
        sums[1] = sums[2] = sums[0];
      } else {
        for (std::int64_t at = 0; at < n_columns; ++at) {
          sums[0] += weights[at] * from[3 * at];
          sums[1] += weights[at] * from[3 * at + 1];
          sums[2] += weights[at] * from[3 * at + 2];
        }
      }
      const auto pixel = static_cast<std::size_t>(y * width_px + x);
      for (std::size_t c = 0; c < 3; ++c) out[c * plane + pixel] = sums[c] * gain[c] + shift[c];
    }
  }
}

FittedSize short_side_size(std::int64_t height_px, std::int64_t width_px, std::int64_t side_px) {
  const auto scaled = [&](std::int64_t longer, std::int64_t shorter) {
    return static_cast<std::int64_t>(double(side_px) * double(longer) / double(shorter));
  };
  if (width_px <= height_px) return {scaled(height_px, width_px), side_px};
  return {side_px, scaled(width_px, height_px)};
}

std::int64_t centre_crop_start(std::int64_t size_px, std::int64_t window_px) {
  return static_cast<std::int64_t>(std::nearbyint(double(size_px - window_px) / 2));
}

Image crop(const Image& image, std::int64_t top, std::int64_t left, std::int64_t height_px,
           std::int64_t width_px) {
  require_size(height_px, width_px);
  Image out{height_px, width_px, image.n_channels, {}};
  out.pixels.resize(static_cast<std::size_t>(height_px * width_px * image.n_channels));
  const auto first = std::max<std::int64_t>(left, 0);
  const auto last = std::min(left + width_px, image.width_px);
  for (std::int64_t y = std::max<std::int64_t>(top, 0);
       first < last && y < std::min(top + height_px, image.height_px); ++y) {
    const auto* const from = image.pixels.data() + (y * image.width_px + first) * image.n_channels;
    std::copy(from, from + (last - first) * image.n_channels,
              out.pixels.data() + ((y - top) * width_px + first - left) * image.n_channels);
  }
  return out;
}

FloatPlane resize_bilinear(const FloatPlane& plane, std::int64_t height_px, std::int64_t width_px) {
  require_size(height_px, width_px);
  if (plane.height_px == height_px && plane.width_px == width_px) return plane;
  struct Tap {
    std::int64_t low, high;
    float fraction;
  };
  const auto taps_of = [](std::int64_t n_in, std::int64_t n_out) {
    std::vector<Tap> taps;
    for (std::int64_t out = 0; out < n_out; ++out) {
      const double position =
          std::max((double(out) + 0.5) * double(n_in) / double(n_out) - 0.5, 0.);
      const auto low = std::min(static_cast<std::int64_t>(position), n_in - 1);
      taps.push_back({low, std::min(low + 1, n_in - 1), float(position - double(low))});
    }
    return taps;
  };
  const auto rows = taps_of(plane.height_px, height_px);
  const auto columns = taps_of(plane.width_px, width_px);
  FloatPlane out{height_px, width_px, {}};
  out.values.resize(static_cast<std::size_t>(height_px * width_px));
  std::vector<float> blended(static_cast<std::size_t>(plane.width_px));
  float* to = out.values.data();
  for (const auto& row : rows) {
    const float* const low = plane.values.data() + row.low * plane.width_px;
    const float* const high = plane.values.data() + row.high * plane.width_px;
    for (std::size_t x = 0; x < blended.size(); ++x) {
      blended[x] = low[x] + row.fraction * (high[x] - low[x]);
    }
    for (const auto& column : columns) {
      const float left = blended[std::size_t(column.low)];
      *to++ = left + column.fraction * (blended[std::size_t(column.high)] - left);
    }
  }
  return out;
}

FloatPlane resize_area(const FloatPlane& plane, std::int64_t height_px, std::int64_t width_px) {
  require_size(height_px, width_px);
  if (height_px > plane.height_px || width_px > plane.width_px) {
    return resize_bilinear(plane, height_px, width_px);
  }
  struct Part {
    std::int64_t at;
    float share;
  };
  const auto parts_of = [](std::int64_t n_in, std::int64_t n_out) {
    std::vector<std::vector<Part>> parts(static_cast<std::size_t>(n_out));
    const double scale = double(n_in) / double(n_out);
    for (std::int64_t out = 0; out < n_out; ++out) {
      const double from = double(out) * scale, to = double(out + 1) * scale;
      for (auto at = static_cast<std::int64_t>(from); at < n_in && double(at) < to; ++at) {
        const double share = (std::min(to, double(at + 1)) - std::max(from, double(at))) / scale;
        if (share > 1e-12) parts[std::size_t(out)].push_back({at, float(share)});
      }
    }
    return parts;
  };
  const auto rows = parts_of(plane.height_px, height_px);
  const auto columns = parts_of(plane.width_px, width_px);
  FloatPlane out{height_px, width_px, {}};
  std::vector<float> sums(static_cast<std::size_t>(plane.width_px));
  for (const auto& row : rows) {
    std::ranges::fill(sums, 0.F);
    for (const auto& [y, share] : row) {
      const float* const from = plane.values.data() + y * plane.width_px;
      for (std::size_t x = 0; x < sums.size(); ++x) sums[x] += share * from[x];
    }
    for (const auto& column : columns) {
      float value = 0;
      for (const auto& [x, share] : column) value += share * sums[std::size_t(x)];
      out.values.push_back(value);
    }
  }
  return out;
}

}  // namespace cadenza
