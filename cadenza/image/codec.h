#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "cadenza/image/decode.h"

namespace cadenza {

/// What each format's file offers to decode.cpp. `name` opens every message.
struct EncodedImage {
  std::span<const std::byte> bytes;
  const std::string& name;
  const DecodeOptions& options;
};

ImageHeader read_jpeg_header(const EncodedImage& file);
ImageHeader read_png_header(const EncodedImage& file);
ImageHeader read_bmp_header(const EncodedImage& file);
ImageHeader read_tiff_header(const EncodedImage& file);
ImageHeader read_webp_header(const EncodedImage& file);

/// `orientation` is set when the file carries one (1 to 8, as EXIF counts).
Image decode_jpeg(const EncodedImage& file, int& orientation);
Image decode_png(const EncodedImage& file, int& orientation);
Image decode_bmp(const EncodedImage& file, int& orientation);
Image decode_tiff(const EncodedImage& file, int& orientation);
Image decode_webp(const EncodedImage& file, int& orientation);

GreyImage16 decode_png_grey16(const EncodedImage& file);

/// Throws unless the size of `header` is within `options`.
void require_limits(const ImageHeader& header, const EncodedImage& file);

/// Throws kInvalidArgument unless `image` has pixels for its size, and 1 or 3 channels.
void require_whole(const Image& image, std::string_view caller);

/// The orientation in an EXIF block ("II*\0..." or "MM\0*..."), 1 where there is none or the block
/// is damaged: a picture is not refused for its metadata.
int exif_orientation(std::span<const std::byte> exif);

/// Whether EXIF's number exchanges rows and columns.
constexpr bool is_transposed(int orientation) { return orientation >= 5 && orientation <= 8; }

/// The picture as a person should see it: turned and mirrored as EXIF's number says.
Image oriented(Image image, int orientation);

}  // namespace cadenza
