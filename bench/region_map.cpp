/// region_map RAW HEIGHT WIDTH CHANNELS slic|felzenszwalb SCALE OUT: the region ids of a raw 8-bit
/// picture as raw int32, for bench/structure_parity.py.
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/structure/felzenszwalb.h"
#include "cadenza/structure/slic.h"

int main(int argc, char** argv) {
  using namespace cadenza;
  if (argc != 8) {
    std::cerr << "usage: region_map RAW HEIGHT WIDTH CHANNELS slic|felzenszwalb SCALE OUT\n";
    return 2;
  }
  try {
    const auto bytes = read_file(argv[1]);
    const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
    const Image image{std::atoll(argv[2]),
                      std::atoll(argv[3]),
                      std::atoll(argv[4]),
                      {first, first + bytes.size()}};
    const auto regions = std::string_view(argv[5]) == "slic"
                             ? slic(image)
                             : felzenszwalb(image, {.scale = std::atof(argv[6])});
    write_file_atomic(argv[7], std::as_bytes(std::span(regions.ids)));
  } catch (const Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
