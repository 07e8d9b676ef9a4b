#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>

#include <tiffio.h>

#include "cadenza/base/error.h"
#include "cadenza/image/codec.h"
#include "cadenza/image/encode.h"

namespace cadenza {

namespace {

/// The file in memory, as libtiff's callbacks see it, and what it complained of.
struct Source {
  std::span<const std::byte> bytes;
  std::uint64_t position = 0;
  char message[256] = "";
};

tmsize_t read_source(thandle_t handle, void* to, tmsize_t n_wanted) {
  auto& source = *static_cast<Source*>(handle);
  const auto n_left =
      source.bytes.size() - std::min<std::uint64_t>(source.position, source.bytes.size());
  const auto n_bytes = std::min<std::uint64_t>(n_left, std::uint64_t(n_wanted));
  if (n_bytes > 0) std::memcpy(to, source.bytes.data() + source.position, n_bytes);
  source.position += n_bytes;
  return tmsize_t(n_bytes);
}
tmsize_t refuse_write(thandle_t, void*, tmsize_t) { return -1; }
toff_t seek_source(thandle_t handle, toff_t offset, int whence) {
  auto& source = *static_cast<Source*>(handle);
  if (whence == SEEK_CUR) offset += source.position;
  if (whence == SEEK_END) offset += source.bytes.size();
  return source.position = offset;
}
int close_source(thandle_t) { return 0; }
toff_t size_source(thandle_t handle) { return static_cast<Source*>(handle)->bytes.size(); }

int note_error(TIFF*, void* user, const char*, const char* format, va_list arguments) {
  auto& source = *static_cast<Source*>(user);
  if (source.message[0] == 0) {
    std::vsnprintf(source.message, sizeof source.message, format, arguments);
  }
  return 1;
}
int ignore_warning(TIFF*, void*, const char*, const char*, va_list) { return 1; }

class Reader {
 public:
  explicit Reader(const EncodedImage& file) : file_(file) {
    source_.bytes = file.bytes;
    const std::unique_ptr<TIFFOpenOptions, void (*)(TIFFOpenOptions*)> options(
        TIFFOpenOptionsAlloc(), TIFFOpenOptionsFree);
    TIFFOpenOptionsSetErrorHandlerExtR(options.get(), note_error, &source_);
    TIFFOpenOptionsSetWarningHandlerExtR(options.get(), ignore_warning, nullptr);
    TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), tmsize_t{1} << 31);
    tiff_.reset(TIFFClientOpenExt(file.name.c_str(), "rm", &source_, read_source, refuse_write,
                                  seek_source, close_source, size_source, nullptr, nullptr,
                                  options.get()));
    if (tiff_ == nullptr) fail();
  }

  ImageHeader read_header() const {
    std::uint32_t width = 0, height = 0;
    if (TIFFGetField(tiff_.get(), TIFFTAG_IMAGEWIDTH, &width) == 0 ||
        TIFFGetField(tiff_.get(), TIFFTAG_IMAGELENGTH, &height) == 0) {
      fail();
    }
    CADENZA_REQUIRE(field(TIFFTAG_SAMPLEFORMAT) <= SAMPLEFORMAT_UINT, ErrorCode::kUnsupported,
                    file_.name,
                    ": a TIFF of signed or floating-point samples; save it as 8 or 16 bit");
    const auto photometric = field(TIFFTAG_PHOTOMETRIC);
    CADENZA_REQUIRE(photometric != PHOTOMETRIC_SEPARATED, ErrorCode::kUnsupported, file_.name,
                    ": a CMYK TIFF (for printing); save it as RGB or grey");
    const bool is_grey =
        photometric == PHOTOMETRIC_MINISBLACK || photometric == PHOTOMETRIC_MINISWHITE;
    return {"tiff", height, width, is_grey ? 1 : 3, field(TIFFTAG_BITSPERSAMPLE)};
  }

  Image decode(int& orientation) {
    const auto header = read_header();
    require_limits(header, file_);
    orientation = std::max<int>(field(TIFFTAG_ORIENTATION), 1);
    return is_plain(header) ? decode_rows(header) : decode_any(header);
  }

 private:
  std::uint16_t field(std::uint32_t tag) const {
    std::uint16_t value = 0;
    TIFFGetFieldDefaulted(tiff_.get(), tag, &value);
    return value;
  }

  /// Interleaved rows of 8- or 16-bit grey or RGB samples: read as they are.
  bool is_plain(const ImageHeader& header) const {
    const auto photometric = field(TIFFTAG_PHOTOMETRIC);
    return (photometric == PHOTOMETRIC_MINISBLACK || photometric == PHOTOMETRIC_RGB) &&
           (header.bit_depth == 8 || header.bit_depth == 16) &&
           field(TIFFTAG_PLANARCONFIG) == PLANARCONFIG_CONTIG && TIFFIsTiled(tiff_.get()) == 0 &&
           field(TIFFTAG_SAMPLESPERPIXEL) >= header.n_channels;
  }

  Image decode_rows(const ImageHeader& header) {
    const std::int64_t n_samples = field(TIFFTAG_SAMPLESPERPIXEL);
    const auto row_bytes = static_cast<std::size_t>(TIFFScanlineSize(tiff_.get()));
    const auto n_row_samples = static_cast<std::size_t>(header.width_px * n_samples);
    if (row_bytes < n_row_samples * std::size_t(header.bit_depth / 8)) fail();
    std::vector<std::uint8_t> row(row_bytes);
    Image image{header.height_px, header.width_px, header.n_channels, {}};
    image.pixels.reserve(std::size_t(header.height_px * header.width_px * header.n_channels));
    for (std::int64_t y = 0; y < header.height_px; ++y) {
      if (TIFFReadScanline(tiff_.get(), row.data(), std::uint32_t(y), 0) != 1) fail();
      for (std::int64_t x = 0; x < header.width_px; ++x) {
        for (std::int64_t c = 0; c < header.n_channels; ++c) {
          const auto at = static_cast<std::size_t>(x * n_samples + c);
          image.pixels.push_back(header.bit_depth == 8 ? row[at] : scaled_16(row.data() + 2 * at));
        }
      }
    }
    return image;
  }

  static std::uint8_t scaled_16(const std::uint8_t* sample) {
    std::uint16_t value = 0;
    std::memcpy(&value, sample, sizeof value);  // libtiff gives the machine's byte order
    return static_cast<std::uint8_t>((value * 255U + 32767U) / 65535U);
  }

  /// Everything else libtiff can show as RGBA: rows as they are stored. (Asked for the top row
  /// first, libtiff would apply half of the orientation.)
  Image decode_any(const ImageHeader& header) {
    char reason[1024] = "";
    CADENZA_REQUIRE(TIFFRGBAImageOK(tiff_.get(), reason) == 1, ErrorCode::kUnsupported, file_.name,
                    ": ", reason, "; save it as an 8-bit TIFF or PNG");
    std::vector<std::uint32_t> raster(std::size_t(header.height_px * header.width_px));
    if (TIFFReadRGBAImageOriented(tiff_.get(), std::uint32_t(header.width_px),
                                  std::uint32_t(header.height_px), raster.data(),
                                  field(TIFFTAG_ORIENTATION), 1) != 1) {
      fail();
    }
    Image image{header.height_px, header.width_px, header.n_channels, {}};
    for (const auto pixel : raster) {
      image.pixels.push_back(static_cast<std::uint8_t>(TIFFGetR(pixel)));
      if (header.n_channels == 1) continue;
      image.pixels.push_back(static_cast<std::uint8_t>(TIFFGetG(pixel)));
      image.pixels.push_back(static_cast<std::uint8_t>(TIFFGetB(pixel)));
    }
    return image;
  }

  [[noreturn]] void fail() const {
    throw Error(ErrorCode::kCorruptData, cat(file_.name, ": the TIFF is truncated or damaged: ",
                                             source_.message, "; copy it again"));
  }

  const EncodedImage& file_;
  Source source_;
  std::unique_ptr<TIFF, void (*)(TIFF*)> tiff_{nullptr, TIFFClose};
};

}  // namespace

ImageHeader read_tiff_header(const EncodedImage& file) { return Reader(file).read_header(); }

Image decode_tiff(const EncodedImage& file, int& orientation) {
  return Reader(file).decode(orientation);
}

std::vector<std::byte> encode_float_tiff(std::span<const float> values, std::int64_t height_px,
                                         std::int64_t width_px) {
  CADENZA_REQUIRE(height_px > 0 && width_px > 0 &&
                      values.size() == static_cast<std::size_t>(height_px * width_px),
                  ErrorCode::kInvalidArgument, "encode_float_tiff: ", values.size(), " values for ",
                  width_px, "x", height_px, " px");
  std::vector<std::byte> out;
  const auto put = [&](std::uint64_t value, int n_bytes) {
    for (int at = 0; at < n_bytes; ++at) out.push_back(static_cast<std::byte>(value >> (8 * at)));
  };
  constexpr std::uint32_t kShort = 3, kLong = 4;
  struct Entry {
    std::uint32_t tag, type, value;
  };
  const auto n_data = static_cast<std::uint32_t>(values.size() * sizeof(float));
  constexpr std::uint32_t kEntries = 10, kData = 8 + 2 + 12 * kEntries + 4;
  const Entry entries[kEntries] = {
      {TIFFTAG_IMAGEWIDTH, kLong, static_cast<std::uint32_t>(width_px)},
      {TIFFTAG_IMAGELENGTH, kLong, static_cast<std::uint32_t>(height_px)},
      {TIFFTAG_BITSPERSAMPLE, kShort, 32},
      {TIFFTAG_COMPRESSION, kShort, COMPRESSION_NONE},
      {TIFFTAG_PHOTOMETRIC, kShort, PHOTOMETRIC_MINISBLACK},
      {TIFFTAG_STRIPOFFSETS, kLong, kData},
      {TIFFTAG_SAMPLESPERPIXEL, kShort, 1},
      {TIFFTAG_ROWSPERSTRIP, kLong, static_cast<std::uint32_t>(height_px)},
      {TIFFTAG_STRIPBYTECOUNTS, kLong, n_data},
      {TIFFTAG_SAMPLEFORMAT, kShort, SAMPLEFORMAT_IEEEFP}};
  put('I' | 'I' << 8 | 42 << 16, 4);
  put(8, 4);
  put(kEntries, 2);
  for (const auto& entry : entries) {
    put(entry.tag, 2);
    put(entry.type, 2);
    put(1, 4);
    put(entry.value, 4);
  }
  put(0, 4);
  const auto data = std::as_bytes(values);
  out.insert(out.end(), data.begin(), data.end());
  return out;
}

}  // namespace cadenza
