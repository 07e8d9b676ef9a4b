#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "cadenza/dataset/sample.h"
#include "cadenza/inspector/verdict.h"

namespace cadenza {

/// An anomaly map and the truth about it, pixel by pixel: what pixel metrics are made of.
struct PixelTruth {
  std::int64_t height_px = 0, width_px = 0;
  std::vector<float> map;          ///< [height, width], higher is more anomalous
  std::vector<std::uint8_t> mask;  ///< [height, width], 1 = defect
};

/// Absent: the map is empty, or the image is a defect of which no mask is known. A normal image's
/// mask is all 0; several masks of one image are one, defect where any is above 0.
///
/// `pixel_size` 0 compares at the image's own size. Above 0 both are brought to a square of so many
/// pixels: the map and the mask by area averages, and the mask is defect where at least a quarter
/// is covered (routed_memory.md section 9). Errors   kCorruptData: a mask of another size than the
/// image, naming both. Those of the decoder.
std::optional<PixelTruth> pixel_truth(const Sample& truth, const ScoreMap& map,
                                      std::int64_t pixel_size);

/// The masks of an image one by one, [height_px, width_px], 1 = defect. Errors: as pixel_truth().
std::vector<std::vector<std::uint8_t>> read_masks(const Sample& truth, std::int64_t height_px,
                                                  std::int64_t width_px);

}  // namespace cadenza
