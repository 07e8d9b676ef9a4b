#include <algorithm>
#include <array>
#include <cmath>
#include <iomanip>
#include <map>
#include <numbers>
#include <sstream>
#include <utility>

#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/base/rng.h"
#include "cadenza/cli/demo/products.h"
#include "cadenza/image/decode.h"
#include "cadenza/image/encode.h"
#include "cadenza/image/image.h"
#include "cadenza/image/resize.h"

namespace cadenza {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kTilePx = 64;   ///< the photographs are cut into tiles that share no pixel,
constexpr std::int64_t kCropPx = 128;  ///< each enlarged to a picture
constexpr std::int64_t kTilesAcross = 8;
constexpr std::int64_t kTrainTiles = 40;
constexpr std::int64_t kTestTiles = 24;
constexpr std::int64_t kUnknownTiles = 48;

struct Canvas {
  Image picture;
  Image mask;  ///< 255 where a defect was drawn
};

Image picture_of_tile(const Image& photograph, std::int64_t tile) {
  const auto part = crop(photograph, tile / kTilesAcross * kTilePx, tile % kTilesAcross * kTilePx,
                         kTilePx, kTilePx);
  return resize_pillow(part, kCropPx, kCropPx, PillowFilter::kBicubic);
}

/// Test tiles lie among the others in every row and column, so that both see the same light.
bool is_test_tile(std::int64_t tile) {
  const auto lane = (tile / kTilesAcross + 3 * (tile % kTilesAcross)) % 8;
  return lane == 0 || lane == 3 || lane == 6;
}

/// Blends `value` into one pixel and marks it as defect where the change can be seen.
void paint(Canvas& canvas, std::int64_t y, std::int64_t x, double value, double opacity) {
  if (y < 0 || x < 0 || y >= kCropPx || x >= kCropPx || opacity <= 0) return;
  const auto index = static_cast<std::size_t>(y * kCropPx + x);
  auto& pixel = canvas.picture.pixels[index];
  pixel = static_cast<std::uint8_t>(std::lround(pixel + opacity * (value - pixel)));
  if (opacity > 0.25) canvas.mask.pixels[index] = 255;
}

/// A bent line, 1.5 to 3 px wide, much darker or brighter than the surface.
void draw_scratch(Canvas& canvas, Rng& rng) {
  const double value = rng.below(2) == 0 ? 15 : 245;
  const double half_width = rng.uniform(0.8, 1.6), length = rng.uniform(45, 100);
  double y = rng.uniform(25, kCropPx - 25.), x = rng.uniform(25, kCropPx - 25.);
  double angle = rng.uniform(0, 2 * std::numbers::pi);
  const double bend = rng.uniform(-0.02, 0.02);
  std::map<std::pair<std::int64_t, std::int64_t>, double> opacity;  // of each pixel, blended once
  for (double walked = 0; walked < length; walked += 0.5) {
    for (int dy = -3; dy <= 3; ++dy) {
      for (int dx = -3; dx <= 3; ++dx) {
        const auto row = static_cast<std::int64_t>(y) + dy;
        const auto column = static_cast<std::int64_t>(x) + dx;
        const double distance = std::hypot(double(row) - y, double(column) - x);
        auto& strongest = opacity[{row, column}];
        strongest = std::max(strongest, std::clamp(half_width + 0.5 - distance, 0., 0.8));
      }
    }
    y += 0.5 * std::sin(angle);
    x += 0.5 * std::cos(angle);
    angle += bend;
  }
  for (const auto& [pixel, share] : opacity) {
    paint(canvas, pixel.first, pixel.second, value, share);
  }
}

/// An ellipse with a soft edge that hides most of the texture.
void draw_stain(Canvas& canvas, Rng& rng) {
  const double value = rng.below(2) == 0 ? 30 : 225;
  const double centre_y = rng.uniform(30, kCropPx - 30.), centre_x = rng.uniform(30, kCropPx - 30.);
  const double radius_y = rng.uniform(8, 20), radius_x = rng.uniform(8, 20);
  for (std::int64_t y = 0; y < kCropPx; ++y) {
    for (std::int64_t x = 0; x < kCropPx; ++x) {
      const double distance =
          std::hypot((double(y) - centre_y) / radius_y, (double(x) - centre_x) / radius_x);
      paint(canvas, y, x, value, 0.75 * std::clamp((1.15 - distance) / 0.3, 0., 1.));
    }
  }
}

/// A square of the same surface, turned by 90 degrees and blurred, where it does not belong.
void draw_misplaced_patch(Canvas& canvas, Rng& rng) {
  const auto side = static_cast<std::int64_t>(24 + rng.below(20));
  const auto free_px = static_cast<std::uint64_t>(kCropPx - side - 4);
  const auto from_y = static_cast<std::int64_t>(2 + rng.below(free_px));
  const auto from_x = static_cast<std::int64_t>(2 + rng.below(free_px));
  const auto to_y = static_cast<std::int64_t>(2 + rng.below(free_px));
  const auto to_x = static_cast<std::int64_t>(2 + rng.below(free_px));
  const Image source = canvas.picture;
  for (std::int64_t y = 0; y < side; ++y) {
    for (std::int64_t x = 0; x < side; ++x) {
      double sum = 0;
      for (int dy = -2; dy <= 2; ++dy) {
        for (int dx = -2; dx <= 2; ++dx) {
          sum += source.at(std::clamp<std::int64_t>(from_y + x + dy, 0, kCropPx - 1),
                           std::clamp<std::int64_t>(from_x + side - 1 - y + dx, 0, kCropPx - 1), 0);
        }
      }
      paint(canvas, to_y + y, to_x + x, sum / 25, 1);
    }
  }
}

struct Defect {
  std::string name;
  void (*draw)(Canvas&, Rng&);
};
const std::array<Defect, 3> kDefects = {
    {{"scratch", draw_scratch}, {"stain", draw_stain}, {"misplaced_patch", draw_misplaced_patch}}};

std::string numbered(std::int64_t index, std::string_view suffix) {
  std::ostringstream name;
  name << std::setw(3) << std::setfill('0') << index << suffix;
  return name.str();
}

void write_picture(const Image& picture, const fs::path& file) {
  fs::create_directories(file.parent_path());
  const auto bytes = encode_png(picture);
  write_file(file, bytes);
}

void write_product(const Image& photograph, const std::string& name, bool is_taught,
                   const fs::path& out, Progress& progress, std::vector<Sample>& samples) {
  Rng rng(0, "demo/" + name);
  std::int64_t n_train = 0, index = -1;
  for (std::int64_t tile = 0; tile < kTilesAcross * kTilesAcross; ++tile) {
    if (is_taught && !is_test_tile(tile)) {
      const auto file = out / name / "train" / "good" / numbered(n_train++, ".png");
      write_picture(picture_of_tile(photograph, tile), file);
      samples.push_back({.file = file, .task = name});
      progress.advance(1);
      continue;
    }
    if (++index >= (is_taught ? kTestTiles : kUnknownTiles)) break;
    Canvas canvas{picture_of_tile(photograph, tile),
                  {kCropPx, kCropPx, 1, std::vector<std::uint8_t>(kCropPx * kCropPx)}};
    Sample sample{.task = name, .split = Split::kTest};
    if (is_taught && index % 2 == 1) {
      const auto& defect = kDefects[static_cast<std::size_t>(index / 2) % kDefects.size()];
      defect.draw(canvas, rng);
      sample.is_defect = true;
      sample.defect_type = defect.name;
      const auto mask = out / name / "ground_truth" / defect.name / numbered(index, "_mask.png");
      write_picture(canvas.mask, mask);
      sample.masks.push_back({.path = mask, .saturation_px = {}});
    }
    sample.file = out / name / "test" / sample.defect_type / numbered(index, ".png");
    write_picture(canvas.picture, sample.file);
    samples.push_back(std::move(sample));
    progress.advance(1);
  }
}

}  // namespace

std::vector<Sample> write_textures(const fs::path& photographs, const fs::path& out,
                                   Progress& progress) {
  std::vector<Sample> samples;
  progress.begin("cutting textures", 2 * (kTrainTiles + kTestTiles) + kUnknownTiles);
  for (const std::string name : {"brick", "gravel", "grass"}) {
    Image photograph = read_image(photographs / (name + ".png"), {});
    CADENZA_REQUIRE(photograph.n_channels == 1 && photograph.height_px >= 512,
                    ErrorCode::kCorruptData, (photographs / (name + ".png")).string(),
                    ": not scikit-image's photograph");
    write_product(photograph, name, name != "grass", out, progress, samples);
  }
  progress.end();
  return samples;
}

}  // namespace cadenza
