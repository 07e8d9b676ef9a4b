#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "cadenza/structure/region_map.h"

namespace cadenza {

/// A label map file's ids: 16-bit, or 8-bit with ids above 255 becoming 255, as the authors' maps
/// are.
/// Errors   kLimitExceeded: an id above 65,535.
std::vector<std::byte> encode_label_map(const RegionMap& regions);
std::vector<std::byte> encode_label_map_8bit(const RegionMap& regions);

/// Either of them. Errors: as decode_grey16().
RegionMap decode_label_map(std::span<const std::byte> bytes, const std::string& name);

}  // namespace cadenza
