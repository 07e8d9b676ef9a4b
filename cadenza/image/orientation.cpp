#include "cadenza/base/bytes.h"
#include "cadenza/base/error.h"
#include "cadenza/image/codec.h"

namespace cadenza {

namespace {

constexpr std::uint16_t kOrientationTag = 0x0112;

class ExifReader {
 public:
  explicit ExifReader(std::span<const std::byte> exif)
      : reader_(exif, "exif"), is_big_(reader_.take_text(2) == "MM") {}
  std::uint16_t u16() { return is_big_ ? reader_.u16_big_endian() : reader_.u16(); }
  std::uint32_t u32() { return is_big_ ? reader_.u32_big_endian() : reader_.u32(); }
  void seek(std::uint64_t offset) { reader_.seek(offset); }
  void skip(std::uint64_t n_bytes) { reader_.skip(n_bytes); }

 private:
  ByteReader reader_;
  bool is_big_;
};

}  // namespace

int exif_orientation(std::span<const std::byte> exif) {
  try {
    ExifReader reader(exif);
    reader.u16();  // 42
    reader.seek(reader.u32());
    for (int n_entries = reader.u16(); n_entries > 0; --n_entries) {
      const auto tag = reader.u16();
      reader.skip(6);  // type, count
      const auto value = reader.u16();
      reader.skip(2);
      if (tag == kOrientationTag) return value >= 1 && value <= 8 ? value : 1;
    }
  } catch (const Error&) {
  }
  return 1;
}

Image oriented(Image image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  // 2 mirrored, 3 turned by 180, 4 upside down; 5 to 8 the same with rows and columns exchanged.
  const bool is_turned = is_transposed(orientation);
  const bool from_right =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_bottom =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Image turned{is_turned ? image.width_px : image.height_px,
               is_turned ? image.height_px : image.width_px,
               image.n_channels,
               {}};
  turned.pixels.reserve(image.pixels.size());
  for (std::int64_t y = 0; y < turned.height_px; ++y) {
    for (std::int64_t x = 0; x < turned.width_px; ++x) {
      std::int64_t row = is_turned ? x : y, column = is_turned ? y : x;
      if (from_bottom) row = image.height_px - 1 - row;
      if (from_right) column = image.width_px - 1 - column;
      for (std::int64_t channel = 0; channel < image.n_channels; ++channel) {
        turned.pixels.push_back(image.at(row, column, channel));
      }
    }
  }
  return turned;
}

}  // namespace cadenza
