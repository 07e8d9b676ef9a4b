#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace cadenza {

/// Image files below what a user named.
struct ImageList {
  std::vector<std::filesystem::path> files;  ///< as given, or the given folder with a path below
  std::int64_t n_skipped = 0;                ///< files that are no images by their extension
  std::vector<std::string> notes;            ///< loops, second links to one file
};

/// Files as named; folders with everything below, sorted byte-wise by path. Links are followed,
/// each real file is taken once, and a link back into a folder above it is a note. A file that is
/// named itself is taken whatever its extension. Errors   kNotFound: a path does not exist. kIo: a
/// folder cannot be read.
ImageList list_images(std::span<const std::filesystem::path> paths);

/// True for .png .jpg .jpeg .bmp .tif .tiff .webp in any case.
bool has_image_extension(const std::filesystem::path& file);

}  // namespace cadenza
