#pragma once

#include <cstdint>

#include "cadenza/image/image.h"

namespace cadenza {

/// Pillow's Image.rotate with the nearest pixel, bit for bit: counter-clockwise about the centre,
/// the same size, black where nothing was.
///
/// Differs  not from Pillow where sides are below 32768 px (16-bit fixed point throughout).
/// Source   dne_cl specification 1.3, vector TV-7.
Image rotate_pillow(const Image& image, double degrees);

/// The same with expand=True: as large as the turned picture needs.
Image rotate_pillow_expanded(const Image& image, double degrees);

/// Puts `patch` onto `image` with its top left pixel at (top, left); what lies outside is cut off.
/// With a mask (one channel, the size of the patch) only where that is not 0.
/// Errors  kInvalidArgument: channels or the mask's size differ.
void paste(Image& image, const Image& patch, std::int64_t top, std::int64_t left,
           const Image* mask = nullptr);

}  // namespace cadenza
