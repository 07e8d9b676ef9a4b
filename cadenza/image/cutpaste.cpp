#include "cadenza/image/cutpaste.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "cadenza/image/cutpaste_geometry.h"
#include "cadenza/image/pillow_colour.h"
#include "cadenza/image/pillow_rotate.h"
#include "cadenza/image/resize.h"

namespace cadenza {

namespace {

std::int64_t whole(double value) { return static_cast<std::int64_t>(value); }

Image turned(const Image& image, double limit_degrees, Rng& rng) {
  return rotate_pillow(image, rng.uniform(-limit_degrees, limit_degrees));
}

/// The twins' last step: the broken one is turned first, as the program draws its angles.
TwinImages turned_twins(const Image& normal, const Image& broken, Rng& rng) {
  constexpr double kLimitDegrees = 90;
  TwinImages twins;
  twins.broken = turned(broken, kLimitDegrees, rng);
  twins.normal = turned(normal, kLimitDegrees, rng);
  return twins;
}

}  // namespace

Image colour_jitter(const Image& image, Rng& rng) {
  const double brightness = rng.uniform(0.9, 1.1), contrast = rng.uniform(0.9, 1.1),
               saturation = rng.uniform(0.9, 1.1), hue = rng.uniform(-0.1, 0.1);
  Image out = image;
  for (const auto step : rng.permutation(4)) {
    switch (step) {
      case 0:
        out = adjust_brightness(out, brightness);
        break;
      case 1:
        out = adjust_contrast(out, contrast);
        break;
      case 2:
        out = adjust_saturation(out, saturation);
        break;
      default:
        out = adjust_hue(out, hue);
    }
  }
  return out;
}

TwinImages cutpaste(const Image& image, Rng& rng) {
  const auto normal = colour_jitter(image, rng);
  CutPasteUniforms uniforms{};
  uniforms.aspect_range = rng.uniform();
  uniforms.area = rng.uniform();
  uniforms.aspect = rng.uniform();
  for (auto& position : uniforms.position) position = rng.uniform();
  const auto cut = cutpaste_geometry(uniforms, image.width_px, image.height_px);
  const auto patch =
      colour_jitter(crop(normal, cut.from_y, cut.from_x, cut.height_px, cut.width_px), rng);
  Image broken = normal;
  paste(broken, patch, cut.to_y, cut.to_x);
  return turned_twins(normal, broken, rng);
}

TwinImages cutpaste_scar(const Image& image, Rng& rng) {
  constexpr double kLimitDegrees = 45;
  const auto normal = colour_jitter(image, rng);
  const auto width = std::min(whole(rng.uniform(2, 16)), image.width_px);
  const auto height = std::min(whole(rng.uniform(10, 25)), image.height_px);
  const auto top = whole(rng.uniform(0, double(image.height_px - height)));
  const auto left = whole(rng.uniform(0, double(image.width_px - width)));
  const auto strip = colour_jitter(crop(normal, top, left, height, width), rng);
  const double angle = rng.uniform(-kLimitDegrees, kLimitDegrees);
  const auto scar = rotate_pillow_expanded(strip, angle);
  Image inside{.height_px = height, .width_px = width, .n_channels = 1};
  inside.pixels.assign(static_cast<std::size_t>(height * width), 255);
  const auto mask = rotate_pillow_expanded(inside, angle);
  const auto to_top = whole(rng.uniform(0, double(image.height_px - scar.height_px)));
  const auto to_left = whole(rng.uniform(0, double(image.width_px - scar.width_px)));
  Image broken = normal;
  paste(broken, scar, to_top, to_left, &mask);
  return turned_twins(normal, broken, rng);
}

Image weakly_augmented(const Image& image, Rng& rng) {
  constexpr double kLimitDegrees = 90;
  return turned(colour_jitter(image, rng), kLimitDegrees, rng);
}

HiddenCells hide_cells(std::int64_t height_px, std::int64_t width_px, Rng& rng) {
  HiddenCells hidden;
  const auto n_cells = (height_px / hidden.cell_height_px) * (width_px / hidden.cell_width_px);
  hidden.cells = rng.sample_sorted(n_cells, n_cells / 4);
  return hidden;
}

}  // namespace cadenza
