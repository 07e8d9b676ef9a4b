#include <csetjmp>
#include <cstring>
#include <string>

#include <png.h>

#include "cadenza/base/error.h"
#include "cadenza/image/codec.h"
#include "cadenza/image/encode.h"

namespace cadenza {

namespace {

/// What libpng's callbacks note; an exception never crosses its frames.
struct Notes {
  char message[256] = "";
  std::span<const std::byte> rest;        // reading
  std::vector<std::byte>* out = nullptr;  // writing
};

void note_error(png_structp png, png_const_charp message) {
  auto* const notes = static_cast<Notes*>(png_get_error_ptr(png));
  std::strncpy(notes->message, message, sizeof notes->message - 1);
  std::longjmp(*png_set_longjmp_fn(png, std::longjmp, sizeof(std::jmp_buf)), 1);
}
void ignore_warning(png_structp, png_const_charp) {}

void read_bytes(png_structp png, png_bytep to, std::size_t n_bytes) {
  auto* const notes = static_cast<Notes*>(png_get_io_ptr(png));
  if (n_bytes > notes->rest.size()) png_error(png, "the file ends too early");
  std::memcpy(to, notes->rest.data(), n_bytes);
  notes->rest = notes->rest.subspan(n_bytes);
}

class Reader {
 public:
  explicit Reader(const EncodedImage& file) : file_(file) {
    notes_.rest = file.bytes;
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &notes_, note_error, ignore_warning);
    info_ = png_ == nullptr ? nullptr : png_create_info_struct(png_);
    if (info_ == nullptr) {
      png_destroy_read_struct(&png_, nullptr, nullptr);
      throw std::bad_alloc();
    }
  }
  ~Reader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  ImageHeader read_header() {
    if (!try_read_header()) fail();
    const auto colour = png_get_color_type(png_, info_);
    return {"png", png_get_image_height(png_, info_), png_get_image_width(png_, info_),
            (colour & PNG_COLOR_MASK_COLOR) != 0 ? 3 : 1, png_get_bit_depth(png_, info_)};
  }

  Image decode(int& orientation) {
    const auto header = read_header();
    require_limits(header, file_);
    Image image{header.height_px, header.width_px, header.n_channels, {}};
    const auto row_bytes = static_cast<std::size_t>(header.width_px * header.n_channels);
    image.pixels.resize(row_bytes * static_cast<std::size_t>(header.height_px));
    decode_rows(image.pixels.data(), row_bytes, header.height_px, /*keeps_16_bit=*/false);
    png_uint_32 n_exif = 0;
    png_bytep exif = nullptr;
    if (png_get_eXIf_1(png_, info_, &n_exif, &exif) != 0) {
      orientation = exif_orientation({reinterpret_cast<const std::byte*>(exif), n_exif});
    }
    return image;
  }

  GreyImage16 decode_grey16() {
    const auto header = read_header();
    require_limits(header, file_);
    CADENZA_REQUIRE(header.n_channels == 1, ErrorCode::kUnsupported, file_.name,
                    ": a label map has one channel; this picture has colours");
    GreyImage16 image{header.height_px, header.width_px, {}};
    const auto n_pixels = static_cast<std::size_t>(header.height_px * header.width_px);
    const std::size_t n_sample_bytes = header.bit_depth == 16 ? 2 : 1;
    std::vector<std::uint8_t> raw(n_pixels * n_sample_bytes);
    decode_rows(raw.data(), static_cast<std::size_t>(header.width_px) * n_sample_bytes,
                header.height_px, /*keeps_16_bit=*/true);
    image.pixels.resize(n_pixels);
    for (std::size_t at = 0; at < n_pixels; ++at) {
      image.pixels[at] = n_sample_bytes == 1
                             ? raw[at]
                             : static_cast<std::uint16_t>(raw[2 * at] << 8 | raw[2 * at + 1]);
    }
    return image;
  }

 private:
  bool try_read_header() {
    if (setjmp(*png_set_longjmp_fn(png_, std::longjmp, sizeof(std::jmp_buf))) != 0) return false;
    png_set_read_fn(png_, &notes_, read_bytes);
    // Limits are ours to check, from the header.
    png_set_user_limits(png_, 0x7FFFFFFF, 0x7FFFFFFF);
    png_set_chunk_malloc_max(png_, 1 << 26);
    // Texts and profiles are not used, and a small file could unpack gigabytes of them.
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER,
                                reinterpret_cast<png_const_bytep>("tEXt\0zTXt\0iTXt\0iCCP\0sPLT"),
                                5);
    png_read_info(png_, info_);
    return true;
  }

  void decode_rows(std::uint8_t* pixels, std::size_t row_bytes, std::int64_t n_rows,
                   bool keeps_16_bit) {
    std::vector<png_bytep> rows(static_cast<std::size_t>(n_rows));
    for (std::size_t row = 0; row < rows.size(); ++row) rows[row] = pixels + row * row_bytes;
    if (!try_decode(rows.data(), row_bytes, keeps_16_bit)) fail();
  }

  bool try_decode(png_bytepp rows, std::size_t row_bytes, bool keeps_16_bit) {
    if (setjmp(*png_set_longjmp_fn(png_, std::longjmp, sizeof(std::jmp_buf))) != 0) return false;
    const auto colour = png_get_color_type(png_, info_);
    if (colour == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png_);
    if (colour == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(png_);
    if (!keeps_16_bit) png_set_scale_16(png_);
    png_set_strip_alpha(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    if (png_get_rowbytes(png_, info_) != row_bytes) png_error(png_, "unexpected row size");
    png_read_image(png_, rows);
    png_read_end(png_, info_);
    return true;
  }

  [[noreturn]] void fail() const {
    throw Error(
        ErrorCode::kCorruptData,
        cat(file_.name, ": the PNG is truncated or damaged: ", notes_.message, "; copy it again"));
  }

  const EncodedImage& file_;
  Notes notes_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

void append_bytes(png_structp png, png_bytep from, std::size_t n_bytes) {
  auto* const out = static_cast<Notes*>(png_get_io_ptr(png))->out;
  const auto* const first = reinterpret_cast<const std::byte*>(from);
  out->insert(out->end(), first, first + n_bytes);
}

class Writer {
 public:
  Writer() {
    png_ = png_create_write_struct(PNG_LIBPNG_VER_STRING, &notes_, note_error, ignore_warning);
    info_ = png_ == nullptr ? nullptr : png_create_info_struct(png_);
    if (info_ == nullptr) {
      png_destroy_write_struct(&png_, nullptr);
      throw std::bad_alloc();
    }
  }
  ~Writer() { png_destroy_write_struct(&png_, &info_); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// `bytes`: rows of big-endian samples.
  std::vector<std::byte> encode(const std::uint8_t* bytes, std::int64_t height, std::int64_t width,
                                std::int64_t n_channels, int bit_depth) {
    std::vector<std::byte> out;
    out.reserve(static_cast<std::size_t>(height * width * n_channels));
    notes_.out = &out;
    std::vector<png_bytep> rows;
    const auto row_bytes = width * n_channels * (bit_depth / 8);
    for (std::int64_t row = 0; row < height; ++row) {
      rows.push_back(const_cast<png_bytep>(bytes + row * row_bytes));
    }
    CADENZA_REQUIRE(try_encode(rows.data(), height, width, n_channels, bit_depth),
                    ErrorCode::kInternal, "encode_png: ", notes_.message);
    return out;
  }

 private:
  bool try_encode(png_bytepp rows, std::int64_t height, std::int64_t width, std::int64_t n_channels,
                  int bit_depth) {
    if (setjmp(*png_set_longjmp_fn(png_, std::longjmp, sizeof(std::jmp_buf))) != 0) return false;
    png_set_write_fn(png_, &notes_, append_bytes, nullptr);
    png_set_IHDR(png_, info_, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height),
                 bit_depth, n_channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_level(png_, 3);
    png_write_info(png_, info_);
    png_write_image(png_, rows);
    png_write_end(png_, info_);
    return true;
  }

  Notes notes_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

}  // namespace

ImageHeader read_png_header(const EncodedImage& file) { return Reader(file).read_header(); }
Image decode_png(const EncodedImage& file, int& orientation) {
  return Reader(file).decode(orientation);
}
GreyImage16 decode_png_grey16(const EncodedImage& file) { return Reader(file).decode_grey16(); }

std::vector<std::byte> encode_png(const Image& image) {
  require_whole(image, "encode_png");
  return Writer().encode(image.pixels.data(), image.height_px, image.width_px, image.n_channels, 8);
}

std::vector<std::byte> encode_png16(std::span<const std::uint16_t> values, std::int64_t height_px,
                                    std::int64_t width_px) {
  CADENZA_REQUIRE(height_px > 0 && width_px > 0 &&
                      values.size() == static_cast<std::size_t>(height_px * width_px),
                  ErrorCode::kInvalidArgument, "encode_png16: ", values.size(), " values for ",
                  width_px, "x", height_px, " px");
  std::vector<std::uint8_t> big_endian;
  big_endian.reserve(2 * values.size());
  for (const auto value : values) {
    big_endian.push_back(static_cast<std::uint8_t>(value >> 8));
    big_endian.push_back(static_cast<std::uint8_t>(value & 255));
  }
  return Writer().encode(big_endian.data(), height_px, width_px, 1, 16);
}

}  // namespace cadenza
