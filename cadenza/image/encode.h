#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cadenza/image/image.h"

namespace cadenza {

// Errors of all: kInvalidArgument: an empty picture, another number of values than its size needs.

/// 8-bit PNG, grey or RGB.
std::vector<std::byte> encode_png(const Image& image);

/// 16-bit grey PNG of [height, width] values: label maps.
std::vector<std::byte> encode_png16(std::span<const std::uint16_t> values, std::int64_t height_px,
                                    std::int64_t width_px);

/// Baseline JPEG, grey or RGB; quality 1 to 100.
std::vector<std::byte> encode_jpeg(const Image& image, int quality);

/// Uncompressed 32-bit float TIFF with one channel, [height, width]: anomaly maps, as they are.
std::vector<std::byte> encode_float_tiff(std::span<const float> values, std::int64_t height_px,
                                         std::int64_t width_px);

}  // namespace cadenza
