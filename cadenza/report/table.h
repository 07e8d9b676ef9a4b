#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace cadenza {

/// A table as data, for every way of writing it. Columns beyond the first `n_names` are numbers and
/// stand to the right.
struct Table {
  std::string title;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;  ///< as long as `columns`
  std::size_t n_names = 1;
  std::vector<std::string> remarks = {};                    ///< below the table
  std::set<std::pair<std::size_t, std::size_t>> best = {};  ///< (row, column) to stand out
};

/// GitHub's tables. `|` in a cell is escaped.
std::string markdown(const Table& table);
/// Aligned columns for a terminal.
std::string plain_text(const Table& table);
/// RFC 4180: a header line and the rows, without title and remarks.
std::string csv(const Table& table);

/// `text` as a field of a CSV line.
std::string csv_field(const std::string& text);

/// How many columns of a terminal a UTF-8 text takes; accents and dashes count one.
std::size_t display_width(const std::string& text);

}  // namespace cadenza
