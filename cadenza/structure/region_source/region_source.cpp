#include "cadenza/structure/region_source/region_source.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/dataset/fit.h"
#include "cadenza/image/decode.h"
#include "cadenza/structure/region_source/mask_tree.h"
#include "cadenza/structure/region_source/region_maker.h"

namespace cadenza {

namespace {

at::Tensor tensor_of(const RegionMap& map) {
  auto ids = at::empty({map.height_px, map.width_px}, at::kInt);
  std::memcpy(ids.mutable_data_ptr(), map.ids.data(), map.ids.size() * sizeof(std::int32_t));
  return ids;
}

/// The part of a map over a whole picture that the network's rectangle shows: each of its pixels
/// takes the id at its centre.
RegionMap fitted(const RegionMap& map, const InputSpec& input, std::int64_t height_px,
                 std::int64_t width_px) {
  const auto window = fitted_window(input, height_px, width_px);
  const auto cell = [](std::int64_t pixel, std::int64_t side, std::int64_t n_cells) {
    return std::clamp<std::int64_t>((2 * pixel + 1) * n_cells / (2 * side), 0, n_cells - 1);
  };
  RegionMap seen{input.height_px, input.width_px, {}};
  seen.ids.reserve(static_cast<std::size_t>(input.height_px * input.width_px));
  for (std::int64_t y = 0; y < input.height_px; ++y) {
    const auto row = cell(y + window.top, window.height_px, map.height_px);
    for (std::int64_t x = 0; x < input.width_px; ++x) {
      seen.ids.push_back(map.at(row, cell(x + window.left, window.width_px, map.width_px)));
    }
  }
  return seen;
}

RegionSource from_tree(const InputSpec& input, const std::filesystem::path& masks) {
  auto tree = std::make_shared<const MaskTree>(masks);
  return [tree = std::move(tree), input](const Sample& sample, const Image&) {
    const auto map = tree->find(sample.file);
    const auto picture = read_image(sample.file, {.reduce_to_px = 0});
    return tensor_of(fitted(map, input, picture.height_px, picture.width_px));
  };
}

RegionSource from_maker(RegionMaker maker) {
  return [maker = std::move(maker)](const Sample&, const Image& picture) {
    return tensor_of(maker(picture, {}));
  };
}

RegionMaker felzenszwalb_maker(const NetworkEnvironment& environment) {
  return make_region_maker("felzenszwalb", {{"scale", "100"}}, environment);
}

}  // namespace

RegionSource make_region_source(const InputSpec& input, const std::filesystem::path& masks,
                                const NetworkEnvironment& environment, Progress& progress) {
  if (!input.needs_structure) return {};
  if (!masks.empty()) return from_tree(input, masks);
  const auto& structure = input.structure;
  if (structure == "slic") return from_maker(make_region_maker("slic", {}, environment));
  if (structure == "sam") {
    try {
      return from_maker(make_region_maker("sam", {}, environment));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kNotFound) throw;
      progress.warn(cat("structure=sam: ", error.what(), "; felzenszwalb makes the region maps"));
    }
  } else if (structure == "folder") {
    progress.warn(
        "structure=folder, but no --masks were given; felzenszwalb makes the region maps");
  } else {
    CADENZA_REQUIRE(structure == "felzenszwalb", ErrorCode::kInvalidArgument, "structure = '",
                    structure, "': expected felzenszwalb, slic, sam or folder");
  }
  return from_maker(felzenszwalb_maker(environment));
}

}  // namespace cadenza
