#pragma once

#include <cstddef>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "cadenza/base/json.h"
#include "cadenza/inspector/verdict.h"

namespace cadenza {

/// Which pictures are written of every image.
struct SavedPictures {
  bool overlay = false;  ///< overlay/NAME.png: the photograph with the map over it
  bool map = false;      ///< map/NAME.tiff: the map as it is, 32-bit float
  bool mask = false;     ///< mask/NAME.png: 255 where the map exceeds its threshold
  bool any() const noexcept { return overlay || map || mask; }
};

/// "overlay,map", "none". Errors   kInvalidArgument naming the word and the known ones.
SavedPictures parse_saved_pictures(std::string_view text);

/// Writes pictures of verdicts below one folder, where each image's path is mirrored: for
/// test/crack/3.jpg in `out` out/overlay/test/crack/3.png. Of two images that differ in the
/// extension alone the second is out/overlay/test/crack/3.jpg.png. Leading slashes are dropped,
/// ".." becomes "_up".
class PictureFiles {
 public:
  PictureFiles(std::filesystem::path folder, SavedPictures which)
      : folder_(std::move(folder)), which_(which) {}

  /// The paths written, by kind: {"overlay": ..., "map": ...}; null where the verdict has no map or
  /// no threshold for it. The time is added to verdict.clock (render).
  /// Errors   kIo. Those of decoding `bytes` for the overlay.
  Json write(const std::filesystem::path& file, std::span<const std::byte> bytes, Verdict& verdict);

 private:
  std::filesystem::path mirrored(const std::filesystem::path& file);
  std::filesystem::path make_place(std::string_view kind, const std::filesystem::path& name,
                                   std::string_view extension) const;

  std::filesystem::path folder_;
  SavedPictures which_;
  std::set<std::filesystem::path> taken_;
};

}  // namespace cadenza
