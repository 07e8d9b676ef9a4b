#include "cadenza/experiment/pixel_truth.h"

#include <utility>

#include "cadenza/base/error.h"
#include "cadenza/image/decode.h"
#include "cadenza/image/resize.h"

namespace cadenza {
namespace {

constexpr float kLeastCover = 0.25F - 1e-6F;  // averages of a quarter may round below it

/// What a mask file marks. Masks are small pictures, too: no least side.
std::vector<std::uint8_t> read_mask(const MaskFile& file, const Sample& truth,
                                    std::int64_t height_px, std::int64_t width_px) {
  const auto picture = read_image(file.path, {.min_side_px = 1});
  CADENZA_REQUIRE(picture.height_px == height_px && picture.width_px == width_px,
                  ErrorCode::kCorruptData, file.path.string(), ": the mask is ", picture.width_px,
                  "x", picture.height_px, " pixels, its image ", truth.file.string(), " is ",
                  width_px, "x", height_px, "; they must be of one size");
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(height_px * width_px), 0);
  const auto n_channels = static_cast<std::size_t>(picture.n_channels);
  for (std::size_t value = 0; value < picture.pixels.size(); ++value) {
    if (picture.pixels[value] > 0) mask[value / n_channels] = 1;
  }
  return mask;
}

}  // namespace

std::vector<std::vector<std::uint8_t>> read_masks(const Sample& truth, std::int64_t height_px,
                                                  std::int64_t width_px) {
  std::vector<std::vector<std::uint8_t>> masks;
  for (const auto& file : truth.masks) {
    masks.push_back(read_mask(file, truth, height_px, width_px));
  }
  return masks;
}

std::optional<PixelTruth> pixel_truth(const Sample& truth, const ScoreMap& map,
                                      std::int64_t pixel_size) {
  if (map.empty() || (truth.is_defect && truth.masks.empty())) return std::nullopt;
  FloatPlane mask{.height_px = map.height_px, .width_px = map.width_px};
  mask.values.resize(map.values.size(), 0.0F);
  if (truth.is_defect) {
    for (const auto& marked : read_masks(truth, map.height_px, map.width_px)) {
      for (std::size_t pixel = 0; pixel < marked.size(); ++pixel) {
        if (marked[pixel] > 0) mask.values[pixel] = 1;
      }
    }
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
