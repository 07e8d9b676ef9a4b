#pragma once

#include "cadenza/base/rng.h"
#include "cadenza/image/image.h"

namespace cadenza {

/// A normal picture and its broken twin, each jittered and turned by an angle of its own.
struct TwinImages {
  Image normal, broken;
};

/// A random change of brightness, contrast, saturation (each by a factor in 1 +- 0.1) and hue
/// (+- 0.1), in random order.
Image colour_jitter(const Image& image, Rng& rng);

/// The picture's jittered, and a patch of it, jittered again, is pasted elsewhere in the broken
/// twin; both are turned by up to 90 degrees, black where nothing was.
///
/// Source   Li et al., "CutPaste", CVPR 2021; dne_cl specification 1.4.
/// Differs  from the DNE program in the generator: results agree given the same uniforms
///          (vectors TV-6, TV-7), not the same seed.
TwinImages cutpaste(const Image& image, Rng& rng);

/// As cutpaste() with a scar: a strip 2 to 16 px wide and 10 to 25 px long, turned by up to 45
/// degrees.
TwinImages cutpaste_scar(const Image& image, Rng& rng);

/// Jittered and turned by up to 90 degrees: augmentation without a twin.
Image weakly_augmented(const Image& image, Rng& rng);

/// Which cells of `height_px` x `width_px` are hidden when a quarter of them is, row by row.
struct HiddenCells {
  std::int64_t cell_height_px = 16, cell_width_px = 2;
  std::vector<std::int64_t> cells;  ///< ascending
};
HiddenCells hide_cells(std::int64_t height_px, std::int64_t width_px, Rng& rng);

}  // namespace cadenza
