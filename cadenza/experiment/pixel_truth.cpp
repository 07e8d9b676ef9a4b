#include "cadenza/experiment/pixel_truth.h"

#include <utility>

#include "cadenza/base/error.h"
#include "cadenza/image/decode.h"
#include "cadenza/image/resize.h"

namespace cadenza {
namespace {

constexpr float kLeastCover = 0.25F - 1e-6F;  // averages of a quarter may round below it

/// Sets what a mask file marks. Masks are small pictures, too: no least side.
void mark(const MaskFile& file, const Sample& truth, FloatPlane& mask) {
  const auto picture = read_image(file.path, {.min_side_px = 1});
  CADENZA_REQUIRE(picture.height_px == mask.height_px && picture.width_px == mask.width_px,
                  ErrorCode::kCorruptData, file.path.string(), ": the mask is ", picture.width_px,
                  "x", picture.height_px, " pixels, its image ", truth.file.string(), " is ",
                  mask.width_px, "x", mask.height_px, "; they must be of one size");
  for (std::size_t pixel = 0; pixel < mask.values.size(); ++pixel) {
    for (std::int64_t channel = 0; channel < picture.n_channels; ++channel) {
      const auto index = static_cast<std::int64_t>(pixel) * picture.n_channels + channel;
      if (picture.pixels[static_cast<std::size_t>(index)] > 0) mask.values[pixel] = 1;
    }
  }
}

}  // namespace

std::optional<PixelTruth> pixel_truth(const Sample& truth, const ScoreMap& map,
                                      std::int64_t pixel_size) {
  if (map.empty() || (truth.is_defect && truth.masks.empty())) return std::nullopt;
  FloatPlane mask{.height_px = map.height_px, .width_px = map.width_px};
  mask.values.resize(map.values.size(), 0.0F);
  for (const auto& file : truth.masks) {
    if (truth.is_defect) mark(file, truth, mask);
  }

  FloatPlane scores{.height_px = map.height_px, .width_px = map.width_px, .values = map.values};
  float least_cover = 1;
  if (pixel_size > 0) {
    scores = resize_area(scores, pixel_size, pixel_size);
    mask = resize_area(mask, pixel_size, pixel_size);
    least_cover = kLeastCover;
  }
  PixelTruth pixels{.height_px = scores.height_px, .width_px = scores.width_px};
  pixels.map = std::move(scores.values);
  for (const auto cover : mask.values) pixels.mask.push_back(cover >= least_cover ? 1 : 0);
  return pixels;
}

}  // namespace cadenza
