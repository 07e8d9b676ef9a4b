#include "cadenza/report/legend_font.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace cadenza {
namespace {

struct Glyph {
  char letter;
  std::array<std::uint8_t, 7> rows;  ///< 5 dots each, the highest bit is the left one
};

// clang-format off
constexpr Glyph kGlyphs[] = {
    {'0', {0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110}},
    {'1', {0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110}},
    {'2', {0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111}},
    {'3', {0b01110, 0b10001, 0b00001, 0b00110, 0b00001, 0b10001, 0b01110}},
    {'4', {0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010}},
    {'5', {0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110}},
    {'6', {0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110}},
    {'7', {0b11111, 0b00001, 0b00010, 0b00100, 0b00100, 0b00100, 0b00100}},
    {'8', {0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110}},
    {'9', {0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100}},
    {'+', {0b00000, 0b00100, 0b00100, 0b11111, 0b00100, 0b00100, 0b00000}},
    {'-', {0b00000, 0b00000, 0b00000, 0b01110, 0b00000, 0b00000, 0b00000}},
    {'.', {0b00000, 0b00000, 0b00000, 0b00000, 0b00000, 0b01100, 0b01100}},
    {'a', {0b00000, 0b00000, 0b01110, 0b00001, 0b01111, 0b10001, 0b01111}},
    {'c', {0b00000, 0b00000, 0b01110, 0b10000, 0b10000, 0b10000, 0b01110}},
    {'d', {0b00001, 0b00001, 0b01111, 0b10001, 0b10001, 0b10001, 0b01111}},
    {'e', {0b00000, 0b00000, 0b01110, 0b10001, 0b11111, 0b10000, 0b01110}},
    {'f', {0b00110, 0b01000, 0b11110, 0b01000, 0b01000, 0b01000, 0b01000}},
    {'h', {0b10000, 0b10000, 0b11110, 0b10001, 0b10001, 0b10001, 0b10001}},
    {'l', {0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110}},
    {'m', {0b00000, 0b00000, 0b11010, 0b10101, 0b10101, 0b10101, 0b10101}},
    {'o', {0b00000, 0b00000, 0b01110, 0b10001, 0b10001, 0b10001, 0b01110}},
    {'r', {0b00000, 0b00000, 0b10110, 0b11001, 0b10000, 0b10000, 0b10000}},
    {'s', {0b00000, 0b00000, 0b01111, 0b10000, 0b01110, 0b00001, 0b11110}},
    {'t', {0b01000, 0b01000, 0b11110, 0b01000, 0b01000, 0b01001, 0b00110}},
    {'u', {0b00000, 0b00000, 0b10001, 0b10001, 0b10001, 0b10011, 0b01101}},
};
// clang-format on

void draw_dot(Image& rgb, std::int64_t x, std::int64_t y, std::int64_t side,
              std::uint8_t brightness) {
  for (auto row = std::max<std::int64_t>(y, 0); row < std::min(y + side, rgb.height_px); ++row) {
    for (auto column = std::max<std::int64_t>(x, 0); column < std::min(x + side, rgb.width_px);
         ++column) {
      const auto first = static_cast<std::size_t>((row * rgb.width_px + column) * 3);
      std::fill_n(rgb.pixels.begin() + static_cast<std::ptrdiff_t>(first), 3, brightness);
    }
  }
}

}  // namespace

std::int64_t text_width_px(std::string_view text, std::int64_t enlarged) {
  return std::max<std::int64_t>(std::ssize(text) * kLetterStepPx - 1, 0) * enlarged;
}

void draw_text(Image& rgb, std::string_view text, std::int64_t x, std::int64_t y,
               std::int64_t enlarged, std::uint8_t brightness) {
  for (const auto letter : text) {
    const auto* glyph = std::ranges::find(kGlyphs, letter, &Glyph::letter);
    for (std::int64_t row = 0; glyph != std::end(kGlyphs) && row < kLetterHeightPx; ++row) {
      for (std::int64_t column = 0; column < 5; ++column) {
        const bool is_set = (glyph->rows[static_cast<std::size_t>(row)] >> (4 - column) & 1) != 0;
        if (is_set) draw_dot(rgb, x + column * enlarged, y + row * enlarged, enlarged, brightness);
      }
    }
    x += kLetterStepPx * enlarged;
  }
}

}  // namespace cadenza
