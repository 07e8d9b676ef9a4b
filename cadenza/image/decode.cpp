#include "cadenza/image/decode.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <utility>

#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/image/codec.h"

namespace cadenza {

namespace {

struct Codec {
  std::string_view magic;
  std::size_t offset;
  ImageHeader (*read_header)(const EncodedImage&);
  Image (*decode)(const EncodedImage&, int& orientation);
};

using namespace std::string_view_literals;
constexpr std::array<Codec, 6> kCodecs = {{
    {"\xFF\xD8\xFF"sv, 0, read_jpeg_header, decode_jpeg},
    {"\x89PNG\r\n\x1A\n"sv, 0, read_png_header, decode_png},
    {"BM"sv, 0, read_bmp_header, decode_bmp},
    {"II*\0"sv, 0, read_tiff_header, decode_tiff},
    {"MM\0*"sv, 0, read_tiff_header, decode_tiff},
    {"WEBP"sv, 8, read_webp_header, decode_webp},
}};

/// The first bytes as a person can read them.
std::string opening(std::string_view text) {
  std::string shown;
  for (const char letter : text.substr(0, 12)) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte == '\n' || byte == '\r') break;
    if (std::isprint(byte)) {
      shown += letter;
    } else {
      shown += "\\x";
      shown += "0123456789abcdef"[byte >> 4];
      shown += "0123456789abcdef"[byte & 15];
    }
  }
  return shown;
}

const Codec& codec_of(std::span<const std::byte> bytes, const std::string& name) {
  CADENZA_REQUIRE(!bytes.empty(), ErrorCode::kCorruptData, name,
                  ": not an image: the file is empty; delete it or copy it again");
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (const auto& codec : kCodecs) {
    if (text.size() > codec.offset && text.substr(codec.offset).starts_with(codec.magic)) {
      return codec;
    }
  }
  throw Error(ErrorCode::kCorruptData, cat(name, ": not an image: starts with '", opening(text),
                                           "'; JPEG, PNG, BMP, TIFF and WebP are read"));
}

}  // namespace

void require_limits(const ImageHeader& header, const EncodedImage& file) {
  const auto& options = file.options;
  const std::int64_t shorter = std::min(header.height_px, header.width_px);
  CADENZA_REQUIRE(shorter >= options.min_side_px, ErrorCode::kInvalidArgument, file.name, ": ",
                  header.width_px, "x", header.height_px, " px; both sides need at least ",
                  options.min_side_px, " px");
  // Formats hold sides of at most 32 bits: the product fits.
  const auto n_pixels =
      static_cast<std::uint64_t>(header.height_px) * static_cast<std::uint64_t>(header.width_px);
  CADENZA_REQUIRE(n_pixels <= options.limit_pixels, ErrorCode::kLimitExceeded, file.name, ": ",
                  header.width_px, "x", header.height_px, " px; at most ", options.limit_pixels,
                  " pixels are decoded; shrink the picture");
}

void require_whole(const Image& image, std::string_view caller) {
  const bool is_shaped =
      image.height_px > 0 && image.width_px > 0 && (image.n_channels == 1 || image.n_channels == 3);
  CADENZA_REQUIRE(is_shaped && image.pixels.size() == std::size_t(image.height_px) *
                                                          std::size_t(image.width_px) *
                                                          std::size_t(image.n_channels),
                  ErrorCode::kInvalidArgument, caller, ": ", image.width_px, "x", image.height_px,
                  " px with ", image.n_channels, " channels and ", image.pixels.size(), " bytes");
}

ReducedImage decode_reduced(std::span<const std::byte> bytes, const std::string& name,
                            const DecodeOptions& options) {
  CADENZA_REQUIRE(bytes.size() <= options.limit_bytes, ErrorCode::kLimitExceeded, name, ": ",
                  bytes.size(), " bytes, at most ", options.limit_bytes, " are read");
  const Codec& codec = codec_of(bytes, name);
  int orientation = 1;
  Image image = codec.decode({bytes, name, options}, orientation);
  auto height = image.height_px, width = image.width_px;
  if (options.reduce_to_px > 0) {
    const auto header = codec.read_header({bytes, name, options});
    height = header.height_px, width = header.width_px;
  }
  if (is_transposed(orientation)) std::swap(height, width);
  return {oriented(std::move(image), orientation), height, width};
}

Image decode_image(std::span<const std::byte> bytes, const std::string& name,
                   const DecodeOptions& options) {
  return decode_reduced(bytes, name, options).image;
}

Image read_image(const std::filesystem::path& path, const DecodeOptions& options) {
  return decode_image(read_file(path, options.limit_bytes), path.string(), options);
}

ImageHeader read_image_header(std::span<const std::byte> bytes, const std::string& name) {
  const DecodeOptions no_limits{.limit_pixels = ~std::uint64_t{0}, .min_side_px = 0};
  return codec_of(bytes, name).read_header({bytes, name, no_limits});
}

GreyImage16 decode_grey16(std::span<const std::byte> bytes, const std::string& name,
                          const DecodeOptions& options) {
  CADENZA_REQUIRE(codec_of(bytes, name).decode == decode_png, ErrorCode::kUnsupported, name,
                  ": label maps are grey PNG files");
  return decode_png_grey16({bytes, name, options});
}

bool is_image_name(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char letter) { return char(std::tolower(letter)); });
  constexpr std::array<std::string_view, 7> kExtensions = {".jpg", ".jpeg", ".png", ".bmp",
                                                           ".tif", ".tiff", ".webp"};
  return std::ranges::count(kExtensions, extension) > 0;
}

}  // namespace cadenza
