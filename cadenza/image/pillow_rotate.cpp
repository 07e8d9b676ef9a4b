#include "cadenza/image/pillow_rotate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numbers>

#include "cadenza/base/error.h"

namespace cadenza {

namespace {

/// Where an output pixel comes from: x' = a x + b y + c, y' = d x + e y + f.
struct Affine {
  double a, b, c, d, e, f;
  double x(double at_x, double at_y) const { return a * at_x + b * at_y + c; }
  double y(double at_x, double at_y) const { return d * at_x + e * at_y + f; }
};

double to_15_decimals(double value) { return std::nearbyint(value * 1e15) / 1e15; }

/// Of a turn about the centre of a picture of this size.
Affine turn(double degrees, double width, double height) {
  const double angle = -degrees * (std::numbers::pi / 180);
  const double cosine = to_15_decimals(std::cos(angle)), sine = to_15_decimals(std::sin(angle));
  Affine how{cosine, sine, 0, -sine, cosine, 0};
  const double centre_x = width / 2, centre_y = height / 2;
  const double c = how.x(-centre_x, -centre_y), f = how.y(-centre_x, -centre_y);
  how.c = c + centre_x;
  how.f = f + centre_y;
  return how;
}

std::int64_t fixed(double value) {
  return static_cast<std::int64_t>(std::floor(value * 65536 + 0.5));
}

Image transformed(const Image& image, const Affine& how, std::int64_t width, std::int64_t height) {
  Image out{.height_px = height, .width_px = width, .n_channels = image.n_channels};
  const auto n_channels = static_cast<std::size_t>(image.n_channels);
  out.pixels.assign(static_cast<std::size_t>(width * height) * n_channels, 0);
  const std::int64_t a = fixed(how.a), b = fixed(how.b), d = fixed(how.d), e = fixed(how.e);
  std::int64_t row_x = fixed(how.c + how.a * 0.5 + how.b * 0.5);
  std::int64_t row_y = fixed(how.f + how.d * 0.5 + how.e * 0.5);
  auto* to = out.pixels.data();
  for (std::int64_t y = 0; y < height; ++y, row_x += b, row_y += e) {
    std::int64_t from_x = row_x, from_y = row_y;
    for (std::int64_t x = 0; x < width; ++x, from_x += a, from_y += d, to += n_channels) {
      const std::int64_t source_x = from_x >> 16, source_y = from_y >> 16;
      if (source_x < 0 || source_x >= image.width_px) continue;
      if (source_y < 0 || source_y >= image.height_px) continue;
      const auto at = static_cast<std::size_t>(source_y * image.width_px + source_x) * n_channels;
      std::memcpy(to, image.pixels.data() + at, n_channels);
    }
  }
  return out;
}

/// Quarter turns without arithmetic: counter-clockwise, 1 to 3 of them.
Image quarter_turns(const Image& image, int n) {
  const bool swaps = n % 2 == 1;
  Image out{.height_px = swaps ? image.width_px : image.height_px,
            .width_px = swaps ? image.height_px : image.width_px,
            .n_channels = image.n_channels};
  out.pixels.reserve(image.pixels.size());
  const auto last_x = image.width_px - 1, last_y = image.height_px - 1;
  for (std::int64_t y = 0; y < out.height_px; ++y) {
    for (std::int64_t x = 0; x < out.width_px; ++x) {
      const auto from_x = n == 1 ? last_x - y : n == 2 ? last_x - x : y;
      const auto from_y = n == 1 ? x : n == 2 ? last_y - y : last_y - x;
      for (std::int64_t c = 0; c < image.n_channels; ++c) {
        out.pixels.push_back(image.at(from_y, from_x, c));
      }
    }
  }
  return out;
}

double positive_angle(double degrees) {
  const double rest = std::fmod(degrees, 360);
  return rest < 0 ? rest + 360 : rest;
}

}  // namespace

Image rotate_pillow(const Image& image, double degrees) {
  const double angle = positive_angle(degrees);
  if (angle == 0) return image;
  if (angle == 180) return quarter_turns(image, 2);
  const bool is_square = image.width_px == image.height_px;
  if (is_square && (angle == 90 || angle == 270)) return quarter_turns(image, angle == 90 ? 1 : 3);
  const auto how = turn(angle, double(image.width_px), double(image.height_px));
  return transformed(image, how, image.width_px, image.height_px);
}

Image rotate_pillow_expanded(const Image& image, double degrees) {
  const double angle = positive_angle(degrees);
  if (angle == 0) return image;
  if (std::fmod(angle, 90) == 0) return quarter_turns(image, static_cast<int>(angle / 90));
  const double width = double(image.width_px), height = double(image.height_px);
  auto how = turn(angle, width, height);
  const std::array<double, 4> corner_x = {0, width, width, 0}, corner_y = {0, 0, height, height};
  std::array<double, 4> x{}, y{};
  for (std::size_t at = 0; at < 4; ++at) {
    x[at] = how.x(corner_x[at], corner_y[at]);
    y[at] = how.y(corner_x[at], corner_y[at]);
  }
  const double new_width =
      std::ceil(*std::ranges::max_element(x)) - std::floor(*std::ranges::min_element(x));
  const double new_height =
      std::ceil(*std::ranges::max_element(y)) - std::floor(*std::ranges::min_element(y));
  const double shift_x = -(new_width - width) / 2, shift_y = -(new_height - height) / 2;
  const double c = how.x(shift_x, shift_y), f = how.y(shift_x, shift_y);
  how.c = c;
  how.f = f;
  return transformed(image, how, std::int64_t(new_width), std::int64_t(new_height));
}

void paste(Image& image, const Image& patch, std::int64_t top, std::int64_t left,
           const Image* mask) {
  CADENZA_REQUIRE(image.n_channels == patch.n_channels, ErrorCode::kInvalidArgument,
                  "paste: a patch of ", patch.n_channels, " channels onto a picture of ",
                  image.n_channels);
  CADENZA_REQUIRE(mask == nullptr || (mask->n_channels == 1 && mask->width_px == patch.width_px &&
                                      mask->height_px == patch.height_px),
                  ErrorCode::kInvalidArgument, "paste: the mask is not of the patch's size");
  const auto n_channels = static_cast<std::size_t>(image.n_channels);
  const auto first_x = std::max<std::int64_t>(0, -left);
  const auto last_x = std::min(patch.width_px, image.width_px - left);
  for (std::int64_t y = std::max<std::int64_t>(0, -top);
       y < std::min(patch.height_px, image.height_px - top); ++y) {
    for (std::int64_t x = first_x; x < last_x; ++x) {
      if (mask != nullptr && mask->at(y, x, 0) == 0) continue;
      const auto to = static_cast<std::size_t>((y + top) * image.width_px + x + left) * n_channels;
      const auto from = static_cast<std::size_t>(y * patch.width_px + x) * n_channels;
      std::memcpy(image.pixels.data() + to, patch.pixels.data() + from, n_channels);
    }
  }
}

}  // namespace cadenza
