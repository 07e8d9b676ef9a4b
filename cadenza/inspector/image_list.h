#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "cadenza/base/error.h"

namespace cadenza {

/// A path that could not be looked into, and why.
struct ListFailure {
  std::filesystem::path path;
  Error error;
};

/// Image files below what a user named.
struct ImageList {
  std::vector<std::filesystem::path> files;  ///< as given, or the given folder with a path below
  std::int64_t n_skipped = 0;                ///< files that are no images by their extension
  std::vector<std::string> notes;            ///< loops, second links to one file
  std::vector<ListFailure> failures;         ///< all else was listed
};

/// Files as named; folders with everything below, sorted byte-wise by path. Links are followed,
/// each real file is taken once, and a link back into a folder above it is a note. A file that is
/// named itself is taken whatever its extension.
/// Failures kNotFound: a path does not exist. kIo: a folder cannot be read.
ImageList list_images(std::span<const std::filesystem::path> paths);

}  // namespace cadenza
