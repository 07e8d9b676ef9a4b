#include "cadenza/base/suggest.h"

#include <algorithm>
#include <limits>

#include "cadenza/base/error.h"

namespace cadenza {

namespace {

/// Optimal string alignment distance.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  const std::size_t width = b.size() + 1;
  std::vector<std::size_t> table((a.size() + 1) * width);
  const auto cell = [&](std::size_t row, std::size_t column) -> std::size_t& {
    return table[row * width + column];
  };
  for (std::size_t row = 0; row <= a.size(); ++row) cell(row, 0) = row;
  for (std::size_t column = 0; column <= b.size(); ++column) cell(0, column) = column;
  for (std::size_t row = 1; row <= a.size(); ++row) {
    for (std::size_t column = 1; column <= b.size(); ++column) {
      const std::size_t changed = a[row - 1] == b[column - 1] ? 0 : 1;
      cell(row, column) = std::min({cell(row - 1, column) + 1, cell(row, column - 1) + 1,
                                    cell(row - 1, column - 1) + changed});
      if (row > 1 && column > 1 && a[row - 1] == b[column - 2] && a[row - 2] == b[column - 1]) {
        cell(row, column) = std::min(cell(row, column), cell(row - 2, column - 2) + 1);
      }
    }
  }
  return table.back();
}

}  // namespace

std::string nearest_name(std::string_view name, std::span<const std::string> known) {
  std::size_t best = std::max<std::size_t>(1, name.size() / 3) + 1;
  std::string nearest;
  for (const auto& candidate : known) {
    const auto distance = edit_distance(name, candidate);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
  std::string text;
  for (const auto& part : parts) text += cat(text.empty() ? "" : separator, part);
  return text;
}

std::string unknown_name_message(std::string_view kind, std::string_view name,
                                 std::span<const std::string> known) {
  const auto nearest = nearest_name(name, known);
  return cat("no ", kind, " '", name, "'",
             nearest.empty() ? "" : cat("; did you mean '", nearest, "'?"),
             " known: ", join(known));
}

}  // namespace cadenza
