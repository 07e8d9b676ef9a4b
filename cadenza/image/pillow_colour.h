#pragma once

#include "cadenza/image/image.h"

namespace cadenza {

// Pillow's colour adjustments as torchvision's ColorJitter applies them, bit for bit. RGB pictures.
// Factor 1 (hue: 0) is the identity up to the roundings of the way. All are pure.
// Source: dne_cl specification 1.3, checked against Pillow by vector TV-7.
// Errors: kInvalidArgument: a picture without three channels; a hue shift outside [-0.5, 0.5].

/// Towards black (factor below 1) or away from it.
Image adjust_brightness(const Image& image, double factor);
/// Towards the mean of the grey picture, rounded to a whole number.
Image adjust_contrast(const Image& image, double factor);
/// Towards the grey picture.
Image adjust_saturation(const Image& image, double factor);
/// Turns the colour circle by `shift` of it, through 8-bit HSV.
Image adjust_hue(const Image& image, double shift);

/// Luma, 16-bit fixed point: one channel.
Image grey_of(const Image& image);

}  // namespace cadenza
