// Windows bitmaps: a 14-byte file header, a DIB header of 12 or at least 40 bytes, a palette or
// channel masks, rows padded to 4 bytes, bottom row first unless the height is negative.
#include <array>
#include <bit>

#include "cadenza/base/bytes.h"
#include "cadenza/base/error.h"
#include "cadenza/image/codec.h"

namespace cadenza {

namespace {

struct Bitmap {
  ImageHeader header;
  std::uint64_t pixel_offset = 0;
  bool is_top_down = false;
  int bits_per_pixel = 0;
  std::array<std::uint32_t, 3> masks{};              // of red, green, blue; 16 and 32 bits
  std::vector<std::array<std::uint8_t, 3>> palette;  // RGB; 1, 4 and 8 bits
};

bool is_grey(const Bitmap& bitmap) {
  for (const auto& [red, green, blue] : bitmap.palette) {
    if (red != green || green != blue) return false;
  }
  return !bitmap.palette.empty();
}

Bitmap read_bitmap(const EncodedImage& file) {
  constexpr std::uint32_t kUncompressed = 0, kMasks = 3, kCoreHeader = 12;
  ByteReader reader(file.bytes, file.name);
  Bitmap bitmap;
  reader.skip(10);
  bitmap.pixel_offset = reader.u32();
  const auto header_bytes = reader.u32();
  const bool is_core = header_bytes == kCoreHeader;
  CADENZA_REQUIRE(is_core || header_bytes >= 40, ErrorCode::kCorruptData, file.name,
                  ": a bitmap header of ", header_bytes, " bytes");
  const auto width =
      is_core ? std::int64_t{reader.u16()} : std::int64_t{static_cast<std::int32_t>(reader.u32())};
  const auto height =
      is_core ? std::int64_t{reader.u16()} : std::int64_t{static_cast<std::int32_t>(reader.u32())};
  reader.skip(2);  // planes
  bitmap.bits_per_pixel = reader.u16();
  const auto compression = is_core ? kUncompressed : reader.u32();
  std::uint32_t n_colours = 0;
  if (!is_core) {
    reader.skip(12);  // size and resolution
    n_colours = reader.u32();
  }
  bitmap.is_top_down = height < 0;
  bitmap.header = {"bmp", height < 0 ? -height : height, width, 3, 8};
  CADENZA_REQUIRE(width > 0 && height != 0, ErrorCode::kCorruptData, file.name, ": a bitmap of ",
                  width, "x", height, " px");
  CADENZA_REQUIRE(compression == kUncompressed || compression == kMasks, ErrorCode::kUnsupported,
                  file.name, ": a compressed bitmap; save it as PNG");

  const int bits = bitmap.bits_per_pixel;
  if (bits == 1 || bits == 4 || bits == 8) {
    const std::uint32_t most = 1U << bits;
    reader.seek(14 + std::uint64_t{header_bytes});
    for (std::uint32_t colour = 0; colour < (n_colours == 0 ? most : std::min(n_colours, most));
         ++colour) {
      const auto blue = reader.u8(), green = reader.u8(), red = reader.u8();
      if (!is_core) reader.skip(1);
      bitmap.palette.push_back({red, green, blue});
    }
    bitmap.palette.resize(most);
    if (is_grey(bitmap)) bitmap.header.n_channels = 1;
  } else if (bits == 16 || bits == 32) {
    bitmap.masks = bits == 16 ? std::array<std::uint32_t, 3>{0x7C00, 0x03E0, 0x001F}
                              : std::array<std::uint32_t, 3>{0xFF0000, 0x00FF00, 0x0000FF};
    if (compression == kMasks) {
      reader.seek(14 + 40);
      for (auto& mask : bitmap.masks) mask = reader.u32();
    }
    for (const auto mask : bitmap.masks) {
      CADENZA_REQUIRE(mask != 0, ErrorCode::kCorruptData, file.name, ": a channel without bits");
    }
  } else {
    CADENZA_REQUIRE(bits == 24, ErrorCode::kUnsupported, file.name, ": ", bits,
                    " bits a pixel; save it as PNG");
  }
  return bitmap;
}

std::uint8_t channel_of(std::uint32_t value, std::uint32_t mask) {
  const int shift = std::countr_zero(mask);
  const std::uint64_t most = mask >> shift;
  return static_cast<std::uint8_t>((std::uint64_t{(value & mask) >> shift} * 255 + most / 2) /
                                   most);
}

void decode_row(const Bitmap& bitmap, ByteReader& reader, std::uint8_t* to) {
  const int bits = bitmap.bits_per_pixel;
  const auto width = bitmap.header.width_px;
  std::uint32_t packed = 0;
  for (std::int64_t x = 0; x < width; ++x) {
    if (!bitmap.palette.empty()) {
      const int per_byte = 8 / bits;
      if (x % per_byte == 0) packed = reader.u8();
      const int shift = 8 - bits * static_cast<int>(x % per_byte + 1);
      const auto& colour = bitmap.palette[(packed >> shift) & ((1U << bits) - 1)];
      for (std::int64_t c = 0; c < bitmap.header.n_channels; ++c) *to++ = colour[std::size_t(c)];
    } else if (bits == 24) {
      const auto blue = reader.u8(), green = reader.u8();
      *to++ = reader.u8();
      *to++ = green;
      *to++ = blue;
    } else {
      packed = bits == 16 ? reader.u16() : reader.u32();
      for (const auto mask : bitmap.masks) *to++ = channel_of(packed, mask);
    }
  }
}

}  // namespace

ImageHeader read_bmp_header(const EncodedImage& file) { return read_bitmap(file).header; }

Image decode_bmp(const EncodedImage& file, int&) {
  const Bitmap bitmap = read_bitmap(file);
  const auto& header = bitmap.header;
  require_limits(header, file);
  const auto row_bytes = (header.width_px * bitmap.bits_per_pixel + 31) / 32 * 4;
  ByteReader reader(file.bytes, file.name);
  reader.seek(bitmap.pixel_offset);
  CADENZA_REQUIRE(reader.remaining() / std::uint64_t(row_bytes) >= std::uint64_t(header.height_px),
                  ErrorCode::kCorruptData, file.name, ": the bitmap is truncated; copy it again");
  Image image{header.height_px, header.width_px, header.n_channels, {}};
  const auto stride = header.width_px * header.n_channels;
  image.pixels.resize(static_cast<std::size_t>(stride * header.height_px));
  for (std::int64_t row = 0; row < header.height_px; ++row) {
    ByteReader row_reader(reader.take(std::uint64_t(row_bytes)), file.name);
    const auto y = bitmap.is_top_down ? row : header.height_px - 1 - row;
    decode_row(bitmap, row_reader, image.pixels.data() + y * stride);
  }
  return image;
}

}  // namespace cadenza
