#include <webp/decode.h>

#include "cadenza/base/bytes.h"
#include "cadenza/base/error.h"
#include "cadenza/image/codec.h"

namespace cadenza {

namespace {

const std::uint8_t* first_byte(const EncodedImage& file) {
  return reinterpret_cast<const std::uint8_t*>(file.bytes.data());
}

/// RIFF chunks after the 12-byte header: four letters, a size, the content padded to two bytes.
int webp_orientation(const EncodedImage& file) {
  try {
    ByteReader reader(file.bytes, file.name);
    reader.skip(12);
    while (reader.remaining() >= 8) {
      const auto kind = reader.take_text(4);
      const std::uint64_t size = reader.u32();
      auto content = reader.take(size);
      if (kind == "EXIF") {
        constexpr std::size_t kPrefix = 6;  // some writers keep JPEG's "Exif\0\0"
        if (content.size() > kPrefix && content[0] == std::byte{'E'})
          content = content.subspan(kPrefix);
        return exif_orientation(content);
      }
      if (size % 2 == 1 && reader.remaining() > 0) reader.skip(1);
    }
  } catch (const Error&) {
  }
  return 1;
}

}  // namespace

ImageHeader read_webp_header(const EncodedImage& file) {
  WebPBitstreamFeatures features;
  const auto status = WebPGetFeatures(first_byte(file), file.bytes.size(), &features);
  CADENZA_REQUIRE(status == VP8_STATUS_OK, ErrorCode::kCorruptData, file.name,
                  ": the WebP is truncated or damaged; copy it again");
  CADENZA_REQUIRE(features.has_animation == 0, ErrorCode::kUnsupported, file.name,
                  ": an animated WebP; save one frame");
  return {"webp", features.height, features.width, 3, 8};
}

Image decode_webp(const EncodedImage& file, int& orientation) {
  const auto header = read_webp_header(file);
  require_limits(header, file);
  Image image{header.height_px, header.width_px, 3, {}};
  image.pixels.resize(static_cast<std::size_t>(3 * header.height_px * header.width_px));
  const auto* const decoded =
      WebPDecodeRGBInto(first_byte(file), file.bytes.size(), image.pixels.data(),
                        image.pixels.size(), static_cast<int>(3 * header.width_px));
  CADENZA_REQUIRE(decoded != nullptr, ErrorCode::kCorruptData, file.name,
                  ": the WebP is truncated or damaged; copy it again");
  orientation = webp_orientation(file);
  return image;
}

}  // namespace cadenza
