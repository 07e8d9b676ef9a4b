#include "cadenza/report/picture_files.h"

#include <sstream>

#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/image/decode.h"
#include "cadenza/image/encode.h"
#include "cadenza/report/overlay.h"

namespace cadenza {

namespace fs = std::filesystem;

SavedPictures parse_saved_pictures(std::string_view text) {
  SavedPictures which;
  std::istringstream words{std::string(text)};
  for (std::string word; std::getline(words, word, ',');) {
    if (word == "overlay") {
      which.overlay = true;
    } else if (word == "map") {
      which.map = true;
    } else if (word == "mask") {
      which.mask = true;
    } else {
      CADENZA_REQUIRE(word == "none", ErrorCode::kInvalidArgument, "--save ", text, ": '", word,
                      "' is not one of overlay, map, mask, none");
    }
  }
  return which;
}

fs::path PictureFiles::mirrored(const fs::path& file) {
  fs::path relative;
  for (const auto& part : file.lexically_normal().relative_path()) {
    relative /= part == ".." ? fs::path("_up") : part;
  }
  fs::path bare = relative;
  bare.replace_extension();
  return taken_.insert(bare).second ? bare : relative;
}

fs::path PictureFiles::make_place(std::string_view kind, const fs::path& name,
                                  std::string_view extension) const {
  fs::path file = folder_ / kind / name;
  file += extension;
  std::error_code failure;
  fs::create_directories(file.parent_path(), failure);
  CADENZA_REQUIRE(!failure, ErrorCode::kIo, file.parent_path().string(),
                  ": cannot create the folder: ", failure.message());
  return file;
}

Json PictureFiles::write(const fs::path& file, std::span<const std::byte> bytes, Verdict& verdict) {
  Json written = Json::object();
  if (!which_.any()) return written;
  const StageClock::Span span(&verdict.clock, Stage::kRender);
  const fs::path name = mirrored(file);
  const auto& map = verdict.map;
  const bool has_scale = !map.empty() && verdict.map_threshold;
  const auto note = [&](const char* kind, bool is_there, std::string_view extension,
                        const auto& encode) {
    written[kind] = nullptr;
    if (!is_there) return;
    const fs::path place = make_place(kind, name, extension);
    write_file(place, encode());
    written[kind] = place.string();
  };
  if (which_.overlay) {
    note("overlay", has_scale, ".png", [&] {
      return encode_png(draw_overlay(decode_image(bytes, file.string()), map.values,
                                     OverlayScale::around(*verdict.map_threshold)));
    });
  }
  if (which_.map) {
    note("map", !map.empty(), ".tiff",
         [&] { return encode_float_tiff(map.values, map.height_px, map.width_px); });
  }
  if (which_.mask) {
    note("mask", has_scale, ".png", [&] {
      return encode_png(draw_mask(map.values, map.height_px, map.width_px, *verdict.map_threshold));
    });
  }
  return written;
}

}  // namespace cadenza
