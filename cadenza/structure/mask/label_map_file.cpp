#include "cadenza/structure/mask/label_map_file.h"

#include <algorithm>
#include <cstdint>

#include "cadenza/base/error.h"
#include "cadenza/image/decode.h"
#include "cadenza/image/encode.h"

namespace cadenza {

std::vector<std::byte> encode_label_map(const RegionMap& regions) {
  std::vector<std::uint16_t> values;
  values.reserve(regions.ids.size());
  for (const auto id : regions.ids) {
    CADENZA_REQUIRE(id >= 0 && id <= 65535, ErrorCode::kLimitExceeded, "label map: region id ", id,
                    ", a 16-bit PNG holds up to 65535; make fewer or larger regions");
    values.push_back(static_cast<std::uint16_t>(id));
  }
  return encode_png16(values, regions.height_px, regions.width_px);
}

std::vector<std::byte> encode_label_map_8bit(const RegionMap& regions) {
  Image image{regions.height_px, regions.width_px, 1, {}};
  image.pixels.reserve(regions.ids.size());
  for (const auto id : regions.ids) {
    image.pixels.push_back(static_cast<std::uint8_t>(std::clamp(id, 0, 255)));
  }
  return encode_png(image);
}

RegionMap decode_label_map(std::span<const std::byte> bytes, const std::string& name) {
  const auto stored = decode_grey16(bytes, name, {.min_side_px = 1});
  return {stored.height_px, stored.width_px, {stored.pixels.begin(), stored.pixels.end()}};
}

}  // namespace cadenza
