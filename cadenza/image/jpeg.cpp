#include <cstdio>

#include <jpeglib.h>
// jpeglib.h first: jerror.h needs its types.
#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <jerror.h>

#include "cadenza/base/error.h"
#include "cadenza/image/codec.h"
#include "cadenza/image/encode.h"

namespace cadenza {

namespace {

/// libjpeg reports through callbacks. They note what happened; an exception never crosses its
/// frames.
struct ErrorManager {
  jpeg_error_mgr base;
  std::jmp_buf escape;
  char message[JMSG_LENGTH_MAX];
  int code;
  bool is_truncated;
};

void note_error(j_common_ptr info) {
  auto* const manager = reinterpret_cast<ErrorManager*>(info->err);
  info->err->format_message(info, manager->message);
  manager->code = info->err->msg_code;
  std::longjmp(manager->escape, 1);
}

void note_warning(j_common_ptr info, int level) {
  if (level >= 0) return;  // a trace message
  const int code = info->err->msg_code;
  if (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE) {
    reinterpret_cast<ErrorManager*>(info->err)->is_truncated = true;
  }
}

void install(ErrorManager& manager, jpeg_error_mgr*& slot) {
  slot = jpeg_std_error(&manager.base);
  manager.base.error_exit = note_error;
  manager.base.emit_message = note_warning;
  manager.base.output_message = [](j_common_ptr) {};
  manager.message[0] = 0;
  manager.code = 0;
  manager.is_truncated = false;
}

/// A progressive JPEG is gone through once a scan, however little the scan holds: a small file
/// could keep a processor busy for hours. Cameras write about ten.
constexpr int kMaxScans = 500;

void refuse_endless_scans(j_common_ptr info) {
  auto* const manager = reinterpret_cast<ErrorManager*>(info->err);
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= kMaxScans) return;
  std::snprintf(manager->message, sizeof manager->message, "more than %d scans", kMaxScans);
  std::longjmp(manager->escape, 1);
}

class Decompressor {
 public:
  explicit Decompressor(const EncodedImage& file) : file_(file) {
    install(errors_, info_.err);
    jpeg_create_decompress(&info_);
    watch_.progress_monitor = refuse_endless_scans;
    info_.progress = &watch_;
  }
  ~Decompressor() { jpeg_destroy_decompress(&info_); }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  ImageHeader read_header() {
    if (!try_read_header()) fail();
    CADENZA_REQUIRE(info_.jpeg_color_space != JCS_CMYK && info_.jpeg_color_space != JCS_YCCK,
                    ErrorCode::kUnsupported, file_.name,
                    ": a CMYK JPEG (for printing); save it as RGB or grey");
    return {"jpeg", info_.image_height, info_.image_width,
            info_.jpeg_color_space == JCS_GRAYSCALE ? 1 : 3, info_.data_precision};
  }

  Image decode(int& orientation) {
    const auto header = read_header();
    require_limits(header, file_);
    orientation = orientation_of(info_.marker_list);
    info_.out_color_space = header.n_channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    info_.scale_num = 1;
    info_.scale_denom = reduction(header);
    jpeg_calc_output_dimensions(&info_);
    Image image{info_.output_height, info_.output_width, header.n_channels, {}};
    image.pixels.resize(static_cast<std::size_t>(image.height_px * image.width_px) *
                        static_cast<std::size_t>(image.n_channels));
    if (!try_decode(image.pixels.data(), image.width_px * image.n_channels)) fail();
    CADENZA_REQUIRE(!errors_.is_truncated, ErrorCode::kCorruptData, file_.name,
                    ": the JPEG is truncated or damaged; copy it again");
    return image;
  }

 private:
  // The two functions that libjpeg may jump out of hold no object with a destructor.
  bool try_read_header() {
    if (setjmp(errors_.escape) != 0) return false;
    jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(file_.bytes.data()),
                 file_.bytes.size());
    jpeg_save_markers(&info_, JPEG_APP0 + 1, 0xFFFF);
    jpeg_read_header(&info_, TRUE);
    return true;
  }

  bool try_decode(std::uint8_t* pixels, std::int64_t row_bytes) {
    if (setjmp(errors_.escape) != 0) return false;
    jpeg_start_decompress(&info_);
    while (info_.output_scanline < info_.output_height) {
      JSAMPROW row = pixels + info_.output_scanline * row_bytes;
      jpeg_read_scanlines(&info_, &row, 1);
    }
    jpeg_finish_decompress(&info_);
    return true;
  }

  unsigned reduction(const ImageHeader& header) const {
    const auto wanted = file_.options.reduce_to_px;
    const auto shorter = std::min(header.height_px, header.width_px);
    unsigned denominator = 1;
    while (wanted > 0 && denominator < 8 && shorter / (2 * denominator) >= wanted) denominator *= 2;
    return denominator;
  }

  static int orientation_of(jpeg_saved_marker_ptr marker) {
    for (; marker != nullptr; marker = marker->next) {
      constexpr std::size_t kPrefix = 6;  // "Exif\0\0"
      if (marker->data_length > kPrefix && std::memcmp(marker->data, "Exif\0\0", kPrefix) == 0) {
        const auto* const data = reinterpret_cast<const std::byte*>(marker->data);
        return exif_orientation({data + kPrefix, marker->data_length - kPrefix});
      }
    }
    return 1;
  }

  [[noreturn]] void fail() const {
    CADENZA_REQUIRE(errors_.code != JERR_BAD_PRECISION && errors_.code != JERR_SOF_UNSUPPORTED,
                    ErrorCode::kUnsupported, file_.name, ": ", errors_.message,
                    "; save it as an 8-bit baseline or progressive JPEG");
    throw Error(ErrorCode::kCorruptData,
                cat(file_.name, ": the JPEG is damaged: ", errors_.message, "; copy it again"));
  }

  const EncodedImage& file_;
  jpeg_decompress_struct info_{};
  ErrorManager errors_{};
  jpeg_progress_mgr watch_{};
};

class Compressor {
 public:
  Compressor() {
    install(errors_, info_.err);
    jpeg_create_compress(&info_);
  }
  ~Compressor() {
    jpeg_destroy_compress(&info_);
    std::free(buffer_);
  }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  std::vector<std::byte> encode(const Image& image, int quality) {
    require_whole(image, "encode_jpeg");
    CADENZA_REQUIRE(quality >= 1 && quality <= 100, ErrorCode::kInvalidArgument,
                    "encode_jpeg: quality ", quality, " is not in [1, 100]");
    CADENZA_REQUIRE(try_encode(image, quality), ErrorCode::kInvalidArgument,
                    "encode_jpeg: ", image.width_px, "x", image.height_px,
                    " px: ", errors_.message);
    const auto* const first = reinterpret_cast<const std::byte*>(buffer_);
    return {first, first + size_};
  }

 private:
  bool try_encode(const Image& image, int quality) {
    if (setjmp(errors_.escape) != 0) return false;
    jpeg_mem_dest(&info_, &buffer_, &size_);
    info_.image_width = static_cast<JDIMENSION>(image.width_px);
    info_.image_height = static_cast<JDIMENSION>(image.height_px);
    info_.input_components = static_cast<int>(image.n_channels);
    info_.in_color_space = image.n_channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&info_);
    jpeg_set_quality(&info_, quality, TRUE);
    jpeg_start_compress(&info_, TRUE);
    const auto row_bytes = image.width_px * image.n_channels;
    while (info_.next_scanline < info_.image_height) {
      auto* row = const_cast<JSAMPROW>(image.pixels.data() + info_.next_scanline * row_bytes);
      jpeg_write_scanlines(&info_, &row, 1);
    }
    jpeg_finish_compress(&info_);
    return true;
  }

  jpeg_compress_struct info_{};
  ErrorManager errors_{};
  unsigned char* buffer_ = nullptr;
  unsigned long size_ = 0;
};

}  // namespace

ImageHeader read_jpeg_header(const EncodedImage& file) { return Decompressor(file).read_header(); }

Image decode_jpeg(const EncodedImage& file, int& orientation) {
  return Decompressor(file).decode(orientation);
}

std::vector<std::byte> encode_jpeg(const Image& image, int quality) {
  return Compressor().encode(image, quality);
}

}  // namespace cadenza
