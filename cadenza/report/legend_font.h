#pragma once

#include <cstdint>
#include <string_view>

#include "cadenza/image/image.h"

namespace cadenza {

/// Height of a letter and distance between the starts of two letters, before enlargement.
inline constexpr std::int64_t kLetterHeightPx = 7, kLetterStepPx = 6;

/// How wide `text` is drawn.
std::int64_t text_width_px(std::string_view text, std::int64_t enlarged);

/// Writes with 5x7 dots, each `enlarged` pixels wide, its top left corner at (x, y); what falls
/// outside of the picture is cut off. Knows the digits, + - . and the letters of the legend; other
/// characters are blank.
void draw_text(Image& rgb, std::string_view text, std::int64_t x, std::int64_t y,
               std::int64_t enlarged, std::uint8_t brightness);

}  // namespace cadenza
