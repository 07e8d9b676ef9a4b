#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/base/rng.h"
#include "cadenza/image/encode.h"
#include "cadenza/image/image.h"

namespace cadenza {

/// A product as a test photographs it: one colour with noise.
struct Product {
  std::string name;
  int red = 0, green = 0, blue = 0;
};

struct PhotoOptions {
  std::int64_t height_px = 24, width_px = 32;
  bool has_defect = false;  ///< the lower right quarter is bright
};

/// Every seed gives another photo.
inline Image photo_of(const Product& product, std::uint64_t seed,
                      const PhotoOptions& options = {}) {
  Image image{options.height_px, options.width_px, 3, {}};
  Rng rng(seed, product.name);
  const int shade = static_cast<int>(rng.below(12));
  for (std::int64_t y = 0; y < image.height_px; ++y) {
    for (std::int64_t x = 0; x < image.width_px; ++x) {
      const bool is_bright =
          options.has_defect && y >= image.height_px / 2 && x >= image.width_px / 2;
      for (const int base : {product.red, product.green, product.blue}) {
        const auto noise = static_cast<int>(rng.below(9));
        image.pixels.push_back(
            static_cast<std::uint8_t>(is_bright ? 230 + noise : base + shade + noise));
      }
    }
  }
  return image;
}

inline const Product kBottle{"bottle", 20, 120, 40}, kCable{"cable", 160, 30, 20},
    kNut{"nut", 90, 90, 140};

/// `folder`/0000.png and so on.
inline std::vector<std::filesystem::path> write_photos(const std::filesystem::path& folder,
                                                       const Product& product, int n_photos,
                                                       std::uint64_t first_seed = 0,
                                                       const PhotoOptions& options = {}) {
  std::filesystem::create_directories(folder);
  std::vector<std::filesystem::path> files;
  for (int photo = 0; photo < n_photos; ++photo) {
    files.push_back(folder / (cat(10000 + photo).substr(1) + ".png"));
    write_file_atomic(
        files.back(),
        encode_png(photo_of(product, first_seed + static_cast<std::uint64_t>(photo), options)));
  }
  return files;
}

}  // namespace cadenza
