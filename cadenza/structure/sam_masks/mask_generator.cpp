#include "cadenza/structure/sam_masks/mask_generator.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/image/resize.h"
#include "cadenza/structure/mask/clean.h"

namespace cadenza {

namespace {

Box whole_of(const Image& image) { return {0, 0, image.width_px, image.height_px}; }

Image part_of(const Image& image, const Box& box) {
  if (box == whole_of(image)) return image;
  return crop(image, box.top, box.left, box.bottom - box.top, box.right - box.left);
}

/// A crop's mask in the whole picture.
BinaryMask placed(BinaryMask mask, const Box& crop, const Box& picture) {
  if (crop == picture) return mask;
  BinaryMask all{picture.bottom, picture.right,
                 std::vector<std::uint8_t>(static_cast<std::size_t>(picture.area()))};
  for (std::int64_t y = 0; y < mask.height_px; ++y) {
    const auto row = mask.inside.begin() + y * mask.width_px;
    std::copy(row, row + mask.width_px,
              all.inside.begin() + (crop.top + y) * picture.right + crop.left);
  }
  return all;
}

std::vector<FoundMask> kept_of(std::vector<FoundMask> found, const std::vector<float>& scores,
                               double threshold) {
  std::vector<Box> boxes;
  for (const auto& mask : found) boxes.push_back(mask.box);
  std::vector<FoundMask> kept;
  for (const auto index : suppress_overlaps(boxes, scores, threshold)) {
    kept.push_back(std::move(found[index]));
  }
  return kept;
}

template <class Score>
std::vector<float> scores_of(const std::vector<FoundMask>& found, Score&& score) {
  std::vector<float> scores;
  for (const auto& mask : found) scores.push_back(score(mask));
  return scores;
}

std::vector<std::vector<GridPoint>> grids_of(const SamMaskOptions& options) {
  if (!options.point_grids.empty()) return options.point_grids;
  std::vector<std::vector<GridPoint>> grids;
  double divisor = 1;
  for (int layer = 0; layer <= options.crop_layers; ++layer) {
    const int n_per_side = static_cast<int>(options.points_per_side / divisor);
    CADENZA_REQUIRE(n_per_side >= 1, ErrorCode::kInvalidArgument, "points per side ",
                    options.points_per_side, " divided by ", options.crop_point_divisor,
                    " at each layer: none is left in crop layer ", layer);
    grids.push_back(point_grid(n_per_side));
    divisor *= options.crop_point_divisor;
  }
  return grids;
}

}  // namespace

SamMaskGenerator::SamMaskGenerator(std::shared_ptr<const SamPredictor> predictor,
                                   SamMaskOptions options)
    : predictor_(std::move(predictor)), options_(std::move(options)) {
  CADENZA_REQUIRE(options_.points_per_batch >= 1 && options_.crop_layers >= 0 &&
                      options_.crop_point_divisor >= 1 && options_.min_region_px >= 0,
                  ErrorCode::kInvalidArgument, "mask generator: points per batch ",
                  options_.points_per_batch, ", crop layers ", options_.crop_layers,
                  ", crop point divisor ", options_.crop_point_divisor, ", smallest region ",
                  options_.min_region_px, ": expected at least 1, 0, 1 and 0");
  grids_ = grids_of(options_);
  const auto n_layers = static_cast<std::size_t>(options_.crop_layers) + 1;
  CADENZA_REQUIRE(grids_.size() >= n_layers, ErrorCode::kInvalidArgument, "point grids: expected ",
                  n_layers, ", one a crop layer, found ", grids_.size());
}

std::vector<FoundMask> SamMaskGenerator::find(const Image& image, std::stop_token stop) const {
  const auto crops =
      crop_grid(image.height_px, image.width_px, options_.crop_layers, options_.crop_overlap);
  std::vector<FoundMask> found;
  for (const auto& crop : crops) {
    auto more = find_in_crop(image, crop, stop);
    std::ranges::move(more, std::back_inserter(found));
  }
  if (crops.size() > 1) {
    const auto scores = scores_of(
        found, [](const FoundMask& mask) { return 1 / static_cast<float>(mask.crop.area()); });
    found = kept_of(std::move(found), scores, options_.crop_box_overlap);
  }
  return options_.min_region_px > 0 ? clean(std::move(found)) : found;
}

std::vector<FoundMask> SamMaskGenerator::find_in_crop(const Image& image, const Crop& crop,
                                                      const std::stop_token& stop) const {
  const auto require_time = [&] {
    CADENZA_REQUIRE(!stop.stop_requested(), ErrorCode::kCancelled, "masks: stopped");
  };
  require_time();
  const auto whole = whole_of(image);
  const auto part = part_of(image, crop.box);
  const auto picture = predictor_->look(part);
  const auto resampler = predictor_->resampler(picture);
  std::vector<SamPredictor::Point> points;
  for (const auto& point : grids_[static_cast<std::size_t>(crop.layer)]) {
    points.push_back({point.x * static_cast<double>(part.width_px),
                      point.y * static_cast<double>(part.height_px)});
  }

  std::vector<FoundMask> found;
  const auto n_batch = static_cast<std::size_t>(options_.points_per_batch);
  for (std::size_t first = 0; first < points.size(); first += n_batch) {
    require_time();
    const auto batch = std::span(points).subspan(first, std::min(n_batch, points.size() - first));
    const auto answer = predictor_->ask(picture, batch);
    const std::span<const float> quality(answer.iou.const_data_ptr<float>(),
                                         static_cast<std::size_t>(answer.iou.numel()));
    const auto n_logits = static_cast<std::size_t>(answer.masks.size(2) * answer.masks.size(3));
    for (std::size_t index = 0; index < quality.size(); ++index) {
      if (options_.iou_threshold > 0 &&
          !(quality[index] > static_cast<float>(options_.iou_threshold))) {
        continue;
      }
      const float* logits = answer.masks.const_data_ptr<float>() + index * n_logits;
      auto cut = resampler.cut({logits, n_logits}, {.offset = options_.stability_offset});
      if (options_.stability_threshold > 0 && cut.stability < options_.stability_threshold) {
        continue;
      }
      auto box = box_of(cut.mask);
      box = {box.left + crop.box.left, box.top + crop.box.top, box.right + crop.box.left,
             box.bottom + crop.box.top};
      if (is_near_crop_edge(box, crop.box, whole)) continue;
      const auto& asked = batch[index / 3];
      found.push_back({encode_runs(placed(std::move(cut.mask), crop.box, whole)),
                       box,
                       quality[index],
                       cut.stability,
                       {asked.x + static_cast<double>(crop.box.left),
                        asked.y + static_cast<double>(crop.box.top)},
                       crop.box});
    }
  }
  const auto scores = scores_of(found, [](const FoundMask& mask) { return mask.predicted_iou; });
  return kept_of(std::move(found), scores, options_.box_overlap);
}

std::vector<FoundMask> SamMaskGenerator::clean(std::vector<FoundMask> found) const {
  std::vector<float> scores;
  for (auto& one : found) {
    auto mask = decode_runs(one.runs);
    const bool had_holes = fill_holes(mask, options_.min_region_px);
    const bool had_islands = drop_islands(mask, options_.min_region_px);
    scores.push_back(had_holes || had_islands ? 0.F : 1.F);
    one.runs = encode_runs(mask);
    one.box = box_of(mask);
  }
  return kept_of(std::move(found), scores,
                 std::max(options_.box_overlap, options_.crop_box_overlap));
}

}  // namespace cadenza
