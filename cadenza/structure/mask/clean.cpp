#include "cadenza/structure/mask/clean.h"

#include <algorithm>

#include "cadenza/metric/components.h"

namespace cadenza {

namespace {

bool is_small(const Component& piece, std::int64_t min_area_px) { return piece.area < min_area_px; }

}  // namespace

bool fill_holes(BinaryMask& mask, std::int64_t min_area_px) {
  auto outside = mask.inside;
  for (auto& value : outside) value = value == 0;
  const auto pieces = label_components(outside, mask.height_px, mask.width_px);
  bool has_changed = false;
  for (std::size_t pixel = 0; pixel < mask.inside.size(); ++pixel) {
    const auto label = pieces.labels[pixel];
    if (label == 0 || !is_small(pieces.list[static_cast<std::size_t>(label - 1)], min_area_px)) {
      continue;
    }
    mask.inside[pixel] = 1;
    has_changed = true;
  }
  return has_changed;
}

bool drop_islands(BinaryMask& mask, std::int64_t min_area_px) {
  const auto pieces = label_components(mask.inside, mask.height_px, mask.width_px);
  const auto is_dropped = [&](const Component& piece) { return is_small(piece, min_area_px); };
  if (std::ranges::none_of(pieces.list, is_dropped)) return false;
  std::vector<char> keeps(pieces.list.size() + 1);
  for (std::size_t piece = 0; piece < pieces.list.size(); ++piece) {
    keeps[piece + 1] = !is_dropped(pieces.list[piece]);
  }
  if (std::ranges::count(keeps, char{1}) == 0) {
    const auto largest = std::ranges::max_element(pieces.list, {}, &Component::area);
    keeps[static_cast<std::size_t>(largest - pieces.list.begin()) + 1] = 1;
  }
  for (std::size_t pixel = 0; pixel < mask.inside.size(); ++pixel) {
    mask.inside[pixel] =
        static_cast<std::uint8_t>(keeps[static_cast<std::size_t>(pieces.labels[pixel])]);
  }
  return true;
}

}  // namespace cadenza
