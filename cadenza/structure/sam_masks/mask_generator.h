#pragma once

#include <memory>
#include <stop_token>
#include <vector>

#include "cadenza/image/image.h"
#include "cadenza/structure/mask/box.h"
#include "cadenza/structure/mask/crop_grid.h"
#include "cadenza/structure/mask/run_lengths.h"
#include "cadenza/structure/sam_masks/predictor.h"

namespace cadenza {

/// The defaults are those of the authors' program, which they chose for ViT-H.
struct SamMaskOptions {
  int points_per_side = 32;
  int points_per_batch = 64;          ///< whose answers are held at once: memory, not results
  double iou_threshold = 0.88;        ///< keep masks whose expected quality is above; 0: all
  double stability_threshold = 0.95;  ///< keep masks at least as stable; 0: all
  double stability_offset = 1;        ///< of the two cuts whose areas are compared
  double box_overlap = 0.7;           ///< boxes of one crop that overlap more are one thing
  int crop_layers = 0;                ///< each further one cuts the picture finer: 4, 16, ... crops
  double crop_box_overlap = 0.7;      ///< the same between crops, where finer crops win
  double crop_overlap = 512.0 / 1500;
  int crop_point_divisor = 1;      ///< points per side are divided by it at each layer
  std::int64_t min_region_px = 0;  ///< smaller holes are filled and islands dropped; 0: as they are
  /// Not empty: these points instead of points_per_side, one grid a layer.
  std::vector<std::vector<GridPoint>> point_grids = {};
};

struct FoundMask {
  RunLengths runs;  ///< over the whole picture
  Box box;          ///< first and last pixel
  float predicted_iou = 0;
  double stability = 0;
  SamPredictor::Point point;  ///< that was asked, in pixels of the picture
  Box crop;                   ///< in which it was found
};

/// Everything in a picture: a grid of points is asked, and what is good, stable and new is kept.
///
/// 1. The picture, and its crops where there are layers. For each crop:
/// 2.   three masks for each point, dropped by expected quality, then cut at 0 on the crop's
/// pixels;
/// 3.   dropped by stability, and if they end at the crop's edge inside the picture;
/// 4.   of those whose boxes overlap, the ones with the higher expected quality stay.
/// 5. Between crops, those of the smaller crop stay.
/// 6. With min_region_px: holes and islands are removed, then boxes that overlap, changed masks
/// first.
///
/// Threads  find() from any thread.
/// Source   Kirillov et al., "Segment Anything", ICCV 2023, appendix B, and the authors' program.
/// Differs  in nothing that moves a mask but rounding: logits are enlarged once instead of twice,
///          and only those of masks that passed step 2.
class SamMaskGenerator {
 public:
  /// Errors   kInvalidArgument: a number below its range, fewer grids than layers.
  SamMaskGenerator(std::shared_ptr<const SamPredictor> predictor, SamMaskOptions options = {});

  /// Returns  in the order of the last suppression: expected quality descending with one crop.
  /// Errors   kInvalidArgument: an empty picture. kCancelled.
  /// Cost     one image encoder a crop, and 1.8 GMAC a point.
  std::vector<FoundMask> find(const Image& image, std::stop_token stop = {}) const;

 private:
  std::vector<FoundMask> find_in_crop(const Image& image, const Crop& crop,
                                      const std::stop_token& stop) const;
  std::vector<FoundMask> clean(std::vector<FoundMask> found) const;

  std::shared_ptr<const SamPredictor> predictor_;
  SamMaskOptions options_;
  std::vector<std::vector<GridPoint>> grids_;  ///< by layer
};

}  // namespace cadenza
