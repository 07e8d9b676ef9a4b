// All decoders, which the content picks; the corpus decides which one is tried most.
#include <algorithm>

#include "fuzz/refusal.h"

#include "cadenza/image/decode.h"

namespace {

bool is_whole(const cadenza::Image& image) {
  return (image.n_channels == 1 || image.n_channels == 3) &&
         std::ssize(image.pixels) == image.height_px * image.width_px * image.n_channels;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cadenza;
  const auto bytes = as_input(data, size);
  // Small enough that a fuzzer does not spend its time in large honest pictures.
  const DecodeOptions options{.limit_pixels = 1 << 18, .min_side_px = 1};
  expect_read_or_refused([&] {
    const auto image = decode_image(bytes, "input", options);
    expect(is_whole(image), "a picture has all its pixels");
    const auto header = read_image_header(bytes, "input");
    const auto sides = std::minmax(image.height_px, image.width_px);
    expect(sides == std::minmax(header.height_px, header.width_px) &&
               header.n_channels == image.n_channels,
           "the header tells what decoding gives");
  });
  expect_read_or_refused([&] {
    auto reduced = options;
    reduced.reduce_to_px = 8;
    expect(is_whole(decode_reduced(bytes, "input", reduced).image), "reduced, too");
  });
  expect_read_or_refused([&] {
    const auto grey = decode_grey16(bytes, "input", options);
    expect(std::ssize(grey.pixels) == grey.height_px * grey.width_px, "a label map is whole");
  });
  return 0;
}
