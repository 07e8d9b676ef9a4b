#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace cadenza {

/// How an image meets the network's rectangle. kSquash ignores the aspect ratio; kShortSideCrop
/// scales the shorter side and cuts the centre; kTiles cuts the image into squares (one score
/// each).
enum class Fit { kSquash, kShortSideCrop, kTiles };

enum class Resampler { kTriangleFloat, kPillowBilinear, kPillowBicubic, kOpenCvLinear };

/// Preprocessing as data: all that lies between a decoded image and a method's tensor.
struct InputSpec {
  std::int64_t height_px = 224;
  std::int64_t width_px = 224;
  std::array<float, 3> mean{0.485F, 0.456F, 0.406F};  ///< of RGB in [0, 1]
  std::array<float, 3> stddev{0.229F, 0.224F, 0.225F};
  Fit fit = Fit::kSquash;
  Resampler resampler = Resampler::kTriangleFloat;
  bool reduced_decoding = false;  ///< large JPEGs may be decoded at 1/2, 1/4 or 1/8
  bool needs_structure = false;   ///< training asks for region maps
  /// Which: "felzenszwalb", "slic", "sam", "folder" (maps from --masks) or "grid". Where a "sam"
  /// has no weights or a "folder" no maps, whoever prepares the images takes felzenszwalb and says
  /// so.
  std::string structure = "felzenszwalb";

  bool operator==(const InputSpec&) const = default;
};

}  // namespace cadenza
