#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "cadenza/image/image.h"

namespace cadenza {

struct DecodeOptions {
  std::uint64_t limit_bytes = std::uint64_t{1} << 29;   ///< of the file
  std::uint64_t limit_pixels = std::uint64_t{1} << 28;  ///< of the decoded picture, from its header
  std::int64_t min_side_px = 8;
  /// Above 0: a JPEG may come out at 1/2, 1/4 or 1/8 of its size as long as both sides keep at
  /// least this many pixels. It is another filter than resizing: train and serve with the same
  /// value.
  std::int64_t reduce_to_px = 0;
};

struct ImageHeader {
  std::string format;                        ///< "jpeg", "png", "bmp", "tiff" or "webp"
  std::int64_t height_px = 0, width_px = 0;  ///< as stored, before an EXIF rotation
  std::int64_t n_channels = 0;               ///< as decode_image() will give: 1 or 3
  int bit_depth = 8;                         ///< of a sample in the file
};

/// Decodes a picture by its content, whatever its name says.
///
/// Returns  grey pictures with 1 channel, all others RGB. Palettes are expanded, alpha is dropped,
///          16-bit samples are scaled by 255/65535 and rounded, EXIF orientation is applied.
/// Errors   name `name`, the reason and the remedy; limits are checked from the header, before
///          anything is allocated. kCorruptData: empty, truncated, not an image. kUnsupported: a
///          kind of picture we do not read (CMYK, RLE bitmaps, ...). kLimitExceeded: too large.
///          kInvalidArgument: a side below min_side_px.
/// Threads  pure; any number of calls at once.
Image decode_image(std::span<const std::byte> bytes, const std::string& name,
                   const DecodeOptions& options = {});

/// A picture that `reduce_to_px` may have made smaller, and the size it has without that, after an
/// EXIF rotation: maps are brought back to it.
struct ReducedImage {
  Image image;
  std::int64_t full_height_px = 0, full_width_px = 0;
};
/// decode_image() with the full size.
ReducedImage decode_reduced(std::span<const std::byte> bytes, const std::string& name,
                            const DecodeOptions& options);

/// Reads and decodes a file. Errors: those of read_file() and decode_image().
Image read_image(const std::filesystem::path& path, const DecodeOptions& options = {});

/// Size and kind without decoding. Errors: as decode_image(), without the limits.
ImageHeader read_image_header(std::span<const std::byte> bytes, const std::string& name);

/// A grey picture with its full sample depth: 8- or 16-bit PNG label maps.
struct GreyImage16 {
  std::int64_t height_px = 0, width_px = 0;
  std::vector<std::uint16_t> pixels;  ///< as stored: 0..255 from an 8-bit file
};
/// Errors: as decode_image(); kUnsupported for anything but grey PNG.
GreyImage16 decode_grey16(std::span<const std::byte> bytes, const std::string& name,
                          const DecodeOptions& options = {});

/// Whether the extension is one that pictures have (.jpg .jpeg .png .bmp .tif .tiff .webp, any
/// case).
bool is_image_name(const std::filesystem::path& path);

}  // namespace cadenza
