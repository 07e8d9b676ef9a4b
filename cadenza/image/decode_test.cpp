#include "cadenza/image/decode.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/support/error_of.h"
#include "tests/support/temporary_folder.h"
#include <gtest/gtest.h>
#include <jpeglib.h>
#include <webp/encode.h>

#include "cadenza/base/file.h"
#include "cadenza/image/codec.h"
#include "cadenza/image/encode.h"

namespace cadenza {
namespace {

using Bytes = std::vector<std::byte>;

Image gradient(std::int64_t height, std::int64_t width, std::int64_t n_channels) {
  Image image{height, width, n_channels, {}};
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      for (std::int64_t c = 0; c < n_channels; ++c) {
        image.pixels.push_back(static_cast<std::uint8_t>((4 * y + 3 * x + 60 * c) % 256));
      }
    }
  }
  return image;
}

Bytes bytes_of(std::string_view text) {
  const auto* const first = reinterpret_cast<const std::byte*>(text.data());
  return {first, first + text.size()};
}

void put(Bytes& bytes, std::uint64_t value, int n_bytes) {
  for (int at = 0; at < n_bytes; ++at, value >>= 8) bytes.push_back(static_cast<std::byte>(value));
}

/// A 24-bit bitmap of one colour, written by hand.
Bytes bitmap(std::int32_t height, std::int32_t width, std::uint32_t rgb) {
  const std::int32_t row_bytes = (3 * width + 3) / 4 * 4;
  Bytes bytes = bytes_of("BM");
  put(bytes, 54 + std::uint64_t(row_bytes) * std::uint64_t(height), 4);
  put(bytes, 0, 4);
  put(bytes, 54, 4);
  put(bytes, 40, 4);
  put(bytes, std::uint32_t(width), 4);
  put(bytes, std::uint32_t(height), 4);
  put(bytes, 1, 2);
  put(bytes, 24, 2);
  put(bytes, 0, 24);
  for (std::int32_t y = 0; y < height; ++y) {
    for (std::int32_t x = 0; x < width; ++x) put(bytes, rgb, 3);  // little-endian: B, G, R
    put(bytes, 0, row_bytes - 3 * width);
  }
  return bytes;
}

struct TiffTag {
  std::uint16_t tag;
  std::uint32_t value;
};

/// An uncompressed little-endian TIFF of one strip, written by hand. `colours` is a palette of 3 x
/// 2^bits 16-bit values, or empty.
Bytes tiff(std::uint32_t height, std::uint32_t width, std::vector<TiffTag> tags, const Bytes& data,
           const std::vector<std::uint16_t>& colours = {}) {
  constexpr std::uint32_t kShort = 3, kLong = 4;
  constexpr std::uint16_t kStripOffset = 273, kColourMap = 320;
  tags.insert(tags.end(), {{256, width},
                           {257, height},
                           {259, 1},
                           {kStripOffset, 8},
                           {278, height},
                           {279, std::uint32_t(data.size())}});
  if (!colours.empty()) tags.push_back({kColourMap, std::uint32_t(8 + data.size())});
  std::ranges::sort(tags, {}, &TiffTag::tag);
  Bytes bytes = bytes_of(std::string_view("II*\0", 4));
  put(bytes, 8 + data.size() + 2 * colours.size(), 4);
  bytes.insert(bytes.end(), data.begin(), data.end());
  for (const auto colour : colours) put(bytes, colour, 2);
  put(bytes, tags.size(), 2);
  for (const auto& [tag, value] : tags) {
    put(bytes, tag, 2);
    put(bytes, tag == kColourMap ? kShort : kLong, 2);
    put(bytes, tag == kColourMap ? colours.size() : 1, 4);
    put(bytes, value, 4);
  }
  put(bytes, 0, 4);
  return bytes;
}

Bytes webp(const Image& image) {
  std::uint8_t* written = nullptr;
  const auto n_bytes =
      WebPEncodeLosslessRGB(image.pixels.data(), int(image.width_px), int(image.height_px),
                            int(3 * image.width_px), &written);
  const auto* const first = reinterpret_cast<const std::byte*>(written);
  Bytes bytes(first, first + n_bytes);
  WebPFree(written);
  return bytes;
}

Bytes cmyk_jpeg() {
  jpeg_compress_struct info;
  jpeg_error_mgr errors;
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* written = nullptr;
  unsigned long n_bytes = 0;
  jpeg_mem_dest(&info, &written, &n_bytes);
  info.image_height = info.image_width = 8;
  info.input_components = 4;
  info.in_color_space = JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_start_compress(&info, TRUE);
  JSAMPLE pixels[32] = {};
  JSAMPROW row = pixels;
  while (info.next_scanline < info.image_height) jpeg_write_scanlines(&info, &row, 1);
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  const auto* const first = reinterpret_cast<const std::byte*>(written);
  Bytes bytes(first, first + n_bytes);
  std::free(written);
  return bytes;
}

/// A JPEG with an EXIF block that says `orientation`.
Bytes with_exif(const Bytes& jpeg, int orientation) {
  Bytes exif =
      bytes_of(std::string_view("Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0", 25));
  put(exif, std::uint64_t(orientation), 1);
  put(exif, 0, 6);
  Bytes out(jpeg.begin(), jpeg.begin() + 2);
  out.push_back(std::byte{0xFF});
  out.push_back(std::byte{0xE1});
  const auto length = exif.size() + 2;
  out.push_back(static_cast<std::byte>(length >> 8));
  out.push_back(static_cast<std::byte>(length & 255));
  out.insert(out.end(), exif.begin(), exif.end());
  out.insert(out.end(), jpeg.begin() + 2, jpeg.end());
  return out;
}

TEST(Decode, PngGivesBackWhatWasWritten) {
  for (const int n_channels : {1, 3}) {
    const Image image = gradient(17, 23, n_channels);
    const Image back = decode_image(encode_png(image), "a.png");
    EXPECT_EQ(back.n_channels, n_channels);
    EXPECT_EQ(back.pixels, image.pixels);
  }
}

TEST(Decode, SixteenBitsAreScaledByTheTypesMaximum) {
  std::vector<std::uint16_t> values(64);
  for (std::size_t at = 0; at < values.size(); ++at) values[at] = std::uint16_t(at * 1040);
  const auto bytes = encode_png16(values, 8, 8);
  const Image image = decode_image(bytes, "a.png");
  for (std::size_t at = 0; at < values.size(); ++at) {
    EXPECT_EQ(image.pixels[at], std::lround(values[at] * 255. / 65535)) << values[at];
  }
  EXPECT_EQ(decode_grey16(bytes, "a.png").pixels, values);
  EXPECT_EQ(read_image_header(bytes, "a.png").bit_depth, 16);
}

TEST(Decode, JpegIsNearWhatWasWrittenAndGreyStaysGrey) {
  for (const int n_channels : {1, 3}) {
    Image image{32, 40, n_channels, {}};
    for (std::int64_t y = 0; y < 32; ++y) {
      for (std::int64_t x = 0; x < 40 * n_channels; ++x) {
        image.pixels.push_back(std::uint8_t(100 + y + x / n_channels));
      }
    }
    const Image back = decode_image(encode_jpeg(image, 95), "a.jpg");
    ASSERT_EQ(back.pixels.size(), image.pixels.size());
    for (std::size_t at = 0; at < image.pixels.size(); ++at) {
      EXPECT_NEAR(back.pixels[at], image.pixels[at], 4);
    }
  }
}

TEST(Decode, ReducedJpegKeepsTheWantedSides) {
  const auto bytes = encode_jpeg(gradient(600, 800, 3), 90);
  const auto size = [&](std::int64_t reduce_to) {
    const Image image = decode_image(bytes, "a.jpg", {.reduce_to_px = reduce_to});
    return std::pair(image.height_px, image.width_px);
  };
  EXPECT_EQ(size(0), std::pair(std::int64_t{600}, std::int64_t{800}));
  EXPECT_EQ(size(256), std::pair(std::int64_t{300}, std::int64_t{400}));
  EXPECT_EQ(size(301), std::pair(std::int64_t{600}, std::int64_t{800}));
  EXPECT_EQ(size(64), std::pair(std::int64_t{75}, std::int64_t{100}));
}

TEST(Decode, BitmapRowsAreBottomUpAndBlueFirst) {
  const Image image = decode_image(bitmap(9, 11, 0xFF8020), "a.bmp");
  EXPECT_EQ(image.at(0, 0, 0), 0xFF);
  EXPECT_EQ(image.at(8, 10, 1), 0x80);
  EXPECT_EQ(image.at(4, 4, 2), 0x20);
}

TEST(Decode, ExifOrientationTurnsThePicture) {
  Image image{16, 24, 1, std::vector<std::uint8_t>(16 * 24, 30)};
  for (int y = 0; y < 8; ++y) {
    for (int x = 0; x < 8; ++x) image.pixels[std::size_t(y * 24 + x)] = 220;  // top left
  }
  const auto jpeg = encode_jpeg(image, 95);
  struct Case {
    int orientation;
    bool is_transposed, at_bottom, at_right;
  };
  for (const auto& [orientation, is_transposed, at_bottom, at_right] :
       {Case{1, false, false, false},
        {2, false, false, true},
        {3, false, true, true},
        {4, false, true, false},
        {5, true, false, false},
        {6, true, false, true},
        {7, true, true, true},
        {8, true, true, false}}) {
    const Image turned = decode_image(with_exif(jpeg, orientation), "a.jpg");
    EXPECT_EQ(turned.height_px, is_transposed ? 24 : 16) << orientation;
    const auto y = at_bottom ? turned.height_px - 3 : 2, x = at_right ? turned.width_px - 3 : 2;
    EXPECT_GT(turned.at(y, x, 0), 200) << orientation;
  }
}

TEST(Decode, WebPGivesBackWhatWasWritten) {
  const Image image = gradient(21, 34, 3);
  const Image back = decode_image(webp(image), "a.webp");
  EXPECT_EQ(back.height_px, 21);
  EXPECT_EQ(back.pixels, image.pixels);
}

TEST(Decode, TiffOfGreyColourAndSixteenBits) {
  const Image grey = gradient(9, 12, 1), colour = gradient(9, 12, 3);
  const auto as_bytes = [](const Image& image) {
    const auto bytes = std::as_bytes(std::span(image.pixels));
    return Bytes(bytes.begin(), bytes.end());
  };
  EXPECT_EQ(decode_image(tiff(9, 12, {{258, 8}, {262, 1}}, as_bytes(grey)), "a.tif").pixels,
            grey.pixels);
  EXPECT_EQ(
      decode_image(tiff(9, 12, {{258, 8}, {262, 2}, {277, 3}}, as_bytes(colour)), "a.tif").pixels,
      colour.pixels);
  Bytes wide;
  for (const auto value : grey.pixels) put(wide, value * 257U + 100, 2);
  const Image narrow = decode_image(tiff(9, 12, {{258, 16}, {262, 1}}, wide), "a.tif");
  for (std::size_t at = 0; at < grey.pixels.size(); ++at) {
    EXPECT_EQ(narrow.pixels[at],
              std::lround(((grey.pixels[at] * 257 + 100) & 0xFFFF) * 255. / 65535));
  }
}

TEST(Decode, AlphaIsDropped) {
  Bytes with_alpha;
  const Image colour = gradient(8, 10, 3);
  for (std::size_t at = 0; at < colour.pixels.size(); at += 3) {
    for (std::size_t c = 0; c < 3; ++c) put(with_alpha, colour.pixels[at + c], 1);
    put(with_alpha, at, 1);
  }
  const auto file = tiff(8, 10, {{258, 8}, {262, 2}, {277, 4}, {338, 2}}, with_alpha);
  EXPECT_EQ(decode_image(file, "a.tif").pixels, colour.pixels);
}

TEST(Decode, AnyKindOfTiffIsTurnedAsItsOrientationSays) {
  Bytes indices;
  for (int at = 0; at < 8 * 11; ++at) put(indices, std::uint64_t(at), 1);
  std::vector<std::uint16_t> colours;
  for (int channel = 0; channel < 3; ++channel) {
    for (int index = 0; index < 256; ++index) {
      colours.push_back(std::uint16_t(257 * ((index * (channel + 1)) % 256)));
    }
  }
  const auto palette_file = [&](std::uint32_t orientation) {
    return tiff(8, 11, {{258, 8}, {262, 3}, {274, orientation}}, indices, colours);
  };
  const Image upright = decode_image(palette_file(1), "a.tif");
  EXPECT_EQ(upright.at(0, 10, 2), 30);
  EXPECT_EQ(upright.at(7, 0, 1), 154);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    EXPECT_EQ(decode_image(palette_file(std::uint32_t(orientation)), "a.tif").pixels,
              oriented(upright, orientation).pixels)
        << orientation;
  }
}

TEST(Decode, AReducedPictureKnowsItsFullSizeAsItIsShown) {
  const auto jpeg = with_exif(encode_jpeg(gradient(600, 801, 3), 90), 6);
  const auto reduced = decode_reduced(jpeg, "a.jpg", {.reduce_to_px = 100});
  EXPECT_EQ(reduced.image.height_px, 201);
  EXPECT_EQ(reduced.image.width_px, 150);
  EXPECT_EQ(reduced.full_height_px, 801);
  EXPECT_EQ(reduced.full_width_px, 600);
  EXPECT_EQ(decode_reduced(jpeg, "a.jpg", {}).full_width_px, 600);
}

TEST(Decode, FloatTiffHasTheValuesAsTheyAre) {
  const std::vector<float> values = {0.5F, -1, 3e9F, 0, 1, 2};
  const auto bytes = encode_float_tiff(values, 2, 3);
  std::vector<float> back(6);
  std::memcpy(back.data(), bytes.data() + bytes.size() - 24, 24);
  EXPECT_EQ(back, values);
  EXPECT_EQ(error_of([&] { decode_image(bytes, "map.tiff"); }).code(), ErrorCode::kUnsupported);
}

TEST(Refused, EmptyTextAndUnknownFilesSayWhatTheyHold) {
  EXPECT_STREQ(error_of([] { decode_image({}, "x.png"); }).what(),
               "x.png: not an image: the file is empty; delete it or copy it again");
  const auto error = error_of([] { decode_image(bytes_of("Dear\ncolleague"), "notes.txt.png"); });
  EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
  EXPECT_EQ(std::string(error.what()).find("notes.txt.png: not an image: starts with 'Dear'"), 0U)
      << error.what();
}

TEST(Refused, TruncatedPicturesOfEveryFormat) {
  const auto jpeg = encode_jpeg(gradient(64, 64, 3), 90), png = encode_png(gradient(64, 64, 3)),
             bmp = bitmap(64, 64, 7), from_webp = webp(gradient(64, 64, 3)),
             from_tiff = tiff(64, 64, {{258, 8}, {262, 1}}, Bytes(64 * 64));
  for (const auto* const whole : {&jpeg, &png, &bmp, &from_webp, &from_tiff}) {
    for (const double part : {0.3, 0.6, 0.95}) {
      const std::span cut(whole->data(), std::size_t(double(whole->size()) * part));
      const auto error = error_of([&] { decode_image(cut, "cut"); });
      EXPECT_EQ(error.code(), ErrorCode::kCorruptData) << error.what();
      EXPECT_NE(std::string(error.what()).find("copy it again"), std::string::npos) << error.what();
    }
  }
}

TEST(Refused, KindsOfPicturesThatAreNotReadSayWhatToSave) {
  const auto message = [](const Bytes& bytes) {
    const auto error = error_of([&] { decode_image(bytes, "a"); });
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported) << error.what();
    return std::string(error.what());
  };
  EXPECT_NE(message(tiff(8, 8, {{258, 8}, {262, 5}, {277, 4}}, Bytes(256))).find("CMYK TIFF"),
            std::string::npos);
  EXPECT_NE(message(cmyk_jpeg()).find("CMYK JPEG"), std::string::npos);
  Bytes jpeg = encode_jpeg(gradient(8, 8, 3), 90);
  const Bytes start_of_frame = {std::byte{0xFF}, std::byte{0xC0}};
  auto frame = std::ranges::search(jpeg, start_of_frame).begin();
  *(frame + 4) = std::byte{12};  // bits a sample
  EXPECT_NE(message(jpeg).find("8-bit baseline"), std::string::npos);
  Bytes rle = bitmap(8, 8, 0);
  rle[28] = std::byte{8};
  rle[30] = std::byte{1};
  EXPECT_NE(message(rle).find("compressed bitmap; save it as PNG"), std::string::npos);
}

TEST(Refused, AProgressiveJpegWithEndlessScans) {
  // Baseline files hold one scan; its header, repeated, makes as many empty ones as we like.
  const Bytes jpeg = encode_jpeg(gradient(16, 16, 1), 90);
  Bytes progressive = jpeg;
  const Bytes baseline = {std::byte{0xFF}, std::byte{0xC0}},
              scan = {std::byte{0xFF}, std::byte{0xDA}};
  *(std::ranges::search(progressive, baseline).begin() + 1) = std::byte{0xC2};
  auto at = std::ranges::search(progressive, scan).begin();
  Bytes header(at, at + 10);
  header[8] = std::byte{0};  // the last coefficient: DC alone
  Bytes endless(progressive.begin(), at);
  for (int repeat = 0; repeat < 2000; ++repeat) {
    endless.insert(endless.end(), header.begin(), header.end());
  }
  put(endless, 0xD9FF, 2);
  const auto error = error_of([&] { decode_image(endless, "endless.jpg"); });
  EXPECT_EQ(error.code(), ErrorCode::kCorruptData) << error.what();
  EXPECT_NE(std::string(error.what()).find("more than 500 scans"), std::string::npos)
      << error.what();
}

TEST(Encode, RefusesWhatDoesNotFitItsSize) {
  const Image empty, short_of_one{4, 4, 1, std::vector<std::uint8_t>(15)};
  for (const auto* const image : {&empty, &short_of_one}) {
    EXPECT_EQ(error_of([&] { encode_png(*image); }).code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(error_of([&] { encode_jpeg(*image, 90); }).code(), ErrorCode::kInvalidArgument);
  }
  const auto code = [](const auto& action) { return error_of(action).code(); };
  EXPECT_EQ(code([] { encode_jpeg(gradient(8, 8, 1), 0); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code([] { encode_png16(std::vector<std::uint16_t>(5), 2, 3); }),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(code([] { encode_float_tiff(std::vector<float>(7), 2, 3); }),
            ErrorCode::kInvalidArgument);
}

TEST(Refused, SizesAreCheckedFromTheHeader) {
  EXPECT_EQ(error_of([] { decode_image(encode_png(gradient(7, 30, 1)), "thin.png"); }).code(),
            ErrorCode::kInvalidArgument);
  auto png = encode_png(gradient(16, 16, 1));
  // The header claims 60,000 x 60,000; its checksum is made right so that only the limit can
  // object.
  const auto huge = [](Bytes& bytes) {
    for (const std::size_t at : {16, 20}) {
      bytes[at] = bytes[at + 1] = std::byte{0};
      bytes[at + 2] = std::byte{0xEA};
      bytes[at + 3] = std::byte{0x60};
    }
    std::uint32_t crc = ~0U;
    for (std::size_t at = 12; at < 29; ++at) {
      crc ^= std::to_integer<std::uint32_t>(bytes[at]);
      for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320U : 0);
    }
    crc = ~crc;
    for (int at = 0; at < 4; ++at) bytes[std::size_t(29 + at)] = std::byte(crc >> (24 - 8 * at));
  };
  huge(png);
  const auto error = error_of([&] { decode_image(png, "huge.png"); });
  EXPECT_EQ(error.code(), ErrorCode::kLimitExceeded) << error.what();
  EXPECT_NE(std::string(error.what()).find("60000x60000"), std::string::npos) << error.what();
  const TemporaryFolder folder;
  write_file_atomic(folder.path() / "a.png", encode_png(gradient(20, 20, 1)));
  EXPECT_EQ(error_of([&] { read_image(folder.path() / "a.png", {.limit_bytes = 10}); }).code(),
            ErrorCode::kLimitExceeded);
}

TEST(ImageName, GoesByTheExtensionInAnyCase) {
  EXPECT_TRUE(is_image_name("a b/\xC3\xA4.JPG"));
  EXPECT_TRUE(is_image_name("x.tiff"));
  EXPECT_FALSE(is_image_name("x.txt"));
  EXPECT_FALSE(is_image_name("jpg"));
}

}  // namespace
}  // namespace cadenza
