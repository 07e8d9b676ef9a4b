#include "cadenza/image/pillow_colour.h"

#include <algorithm>
#include <cmath>

#include "cadenza/base/error.h"

namespace cadenza {

namespace {

void require_rgb(const Image& image, const char* what) {
  CADENZA_REQUIRE(image.n_channels == 3, ErrorCode::kInvalidArgument, what,
                  ": expected a picture of 3 channels, got ", image.n_channels);
}

/// From `degenerate` (factor 0) over `value` (1) and beyond: cut off, not rounded.
std::uint8_t blend(std::uint8_t degenerate, std::uint8_t value, float factor) {
  const float blended = float(degenerate) + factor * float(int(value) - int(degenerate));
  return static_cast<std::uint8_t>(std::clamp(blended, 0.F, 255.F));
}

struct Hsv {
  std::uint8_t hue, saturation, value;
};

Hsv hsv_of(std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
  const auto largest = std::max({red, green, blue}), least = std::min({red, green, blue});
  if (largest == least) return {0, 0, largest};
  const float range = float(largest - least);
  const float from_red = float(largest - red) / range;
  const float from_green = float(largest - green) / range;
  const float from_blue = float(largest - blue) / range;
  float sixth = 0;
  if (red == largest) {
    sixth = from_blue - from_green;
  } else if (green == largest) {
    sixth = static_cast<float>(2.0 + from_red - from_blue);
  } else {
    sixth = static_cast<float>(4.0 + from_green - from_red);
  }
  double turn = sixth / 6.0 + 1.0;  // in [5/6, 2)
  if (turn >= 1) turn -= 1;
  const float saturation = range / float(largest);
  return {static_cast<std::uint8_t>(float(turn) * 255.0),
          static_cast<std::uint8_t>(saturation * 255.0), largest};
}

void store_rgb(const Hsv& hsv, std::uint8_t* rgb) {
  if (hsv.saturation == 0) {
    rgb[0] = rgb[1] = rgb[2] = hsv.value;
    return;
  }
  const float sixths = static_cast<float>(hsv.hue * 6.0 / 255.0);
  const float saturation = static_cast<float>(hsv.saturation / 255.0);
  const int sector = static_cast<int>(sixths);
  const float part = sixths - float(sector);
  const auto scaled = [&](float share) {
    const auto rounded = static_cast<int>(std::floor(float(hsv.value) * share + 0.5));
    return static_cast<std::uint8_t>(std::clamp(rounded, 0, 255));
  };
  const auto v = hsv.value;
  const auto p = scaled(1.F - saturation);
  const auto q = scaled(1.F - saturation * part);
  const auto t = scaled(1.F - saturation * (1.F - part));
  const auto set = [&](std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
    rgb[0] = red;
    rgb[1] = green;
    rgb[2] = blue;
  };
  switch (sector % 6) {
    case 0:
      return set(v, t, p);
    case 1:
      return set(q, v, p);
    case 2:
      return set(p, v, t);
    case 3:
      return set(p, q, v);
    case 4:
      return set(t, p, v);
    default:
      return set(v, p, q);
  }
}

}  // namespace

Image grey_of(const Image& image) {
  require_rgb(image, "grey");
  Image grey{.height_px = image.height_px, .width_px = image.width_px, .n_channels = 1};
  grey.pixels.resize(image.pixels.size() / 3);
  const auto* rgb = image.pixels.data();
  for (auto& value : grey.pixels) {
    value =
        static_cast<std::uint8_t>((19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2] + 32768) >> 16);
    rgb += 3;
  }
  return grey;
}

Image adjust_brightness(const Image& image, double factor) {
  require_rgb(image, "brightness");
  Image out = image;
  for (auto& value : out.pixels) value = blend(0, value, float(factor));
  return out;
}

Image adjust_contrast(const Image& image, double factor) {
  const auto grey = grey_of(image);
  std::uint64_t sum = 0;
  for (const auto value : grey.pixels) sum += value;
  const auto mean = static_cast<std::uint8_t>(double(sum) / double(grey.pixels.size()) + 0.5);
  Image out = image;
  for (auto& value : out.pixels) value = blend(mean, value, float(factor));
  return out;
}

Image adjust_saturation(const Image& image, double factor) {
  const auto grey = grey_of(image);
  Image out = image;
  for (std::size_t at = 0; at < out.pixels.size(); ++at) {
    out.pixels[at] = blend(grey.pixels[at / 3], out.pixels[at], float(factor));
  }
  return out;
}

Image adjust_hue(const Image& image, double shift) {
  require_rgb(image, "hue");
  CADENZA_REQUIRE(-0.5 <= shift && shift <= 0.5, ErrorCode::kInvalidArgument,
                  "hue: expected a shift in [-0.5, 0.5], got ", shift);
  const auto steps = static_cast<std::uint8_t>(static_cast<int>(shift * 255));
  Image out = image;
  for (std::size_t at = 0; at < out.pixels.size(); at += 3) {
    auto* const rgb = out.pixels.data() + at;
    auto hsv = hsv_of(rgb[0], rgb[1], rgb[2]);
    hsv.hue = static_cast<std::uint8_t>(hsv.hue + steps);
    store_rgb(hsv, rgb);
  }
  return out;
}

}  // namespace cadenza
