#include "cadenza/report/table.h"

#include <algorithm>

#include "cadenza/base/error.h"

namespace cadenza {
namespace {

std::vector<std::size_t> column_widths(const Table& table) {
  std::vector<std::size_t> widths;
  for (std::size_t column = 0; column < table.columns.size(); ++column) {
    auto width = display_width(table.columns[column]);
    for (const auto& row : table.rows) width = std::max(width, display_width(row[column]));
    widths.push_back(width);
  }
  return widths;
}

std::string padded(const std::string& text, std::size_t width, bool is_right) {
  const std::string space(width - display_width(text), ' ');
  return is_right ? space + text : text + space;
}

std::string markdown_row(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const auto& cell : cells) {
    std::string text;
    for (const char letter : cell) {
      if (letter == '|') text += '\\';
      text += letter == '\n' ? ' ' : letter;
    }
    line += " " + text + " |";
  }
  return line + "\n";
}

}  // namespace

std::size_t display_width(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }));
}

std::string markdown(const Table& table) {
  std::string text = table.title.empty() ? "" : cat("### ", table.title, "\n\n");
  text += markdown_row(table.columns) + "|";
  for (std::size_t column = 0; column < table.columns.size(); ++column) {
    text += column < table.n_names ? "---|" : "---:|";
  }
  text += "\n";
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    auto cells = table.rows[row];
    for (std::size_t column = 0; column < cells.size(); ++column) {
      if (table.best.contains({row, column})) cells[column] = "**" + cells[column] + "**";
    }
    text += markdown_row(cells);
  }
  for (const auto& remark : table.remarks) text += cat("\n", remark, "\n");
  return text + "\n";
}

std::string plain_text(const Table& table) {
  const auto widths = column_widths(table);
  const auto line_of = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t column = 0; column < cells.size(); ++column) {
      if (column > 0) line += "  ";
      line += padded(cells[column], widths[column], column >= table.n_names);
    }
    while (line.ends_with(' ')) line.pop_back();
    return line + "\n";
  };
  std::string text = table.title.empty() ? "" : table.title + "\n";
  text += line_of(table.columns);
  for (const auto& row : table.rows) text += line_of(row);
  for (const auto& remark : table.remarks) text += remark + "\n";
  return text + "\n";
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char letter : text) {
    if (letter == '"') quoted += '"';
    quoted += letter;
  }
  return quoted + "\"";
}

std::string csv(const Table& table) {
  std::string text;
  const auto add = [&](const std::vector<std::string>& cells) {
    for (std::size_t column = 0; column < cells.size(); ++column) {
      text += (column > 0 ? "," : "") + csv_field(cells[column]);
    }
    text += "\n";
  };
  add(table.columns);
  for (const auto& row : table.rows) add(row);
  return text;
}

}  // namespace cadenza
