#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cadenza {

/// Rows by the names of the first line. Fields may be quoted ("a, ""b"""); empty lines are skipped.
struct CsvTable {
  std::vector<std::string> columns;
  std::vector<std::map<std::string, std::string>> rows;
};

/// Errors   kCorruptData naming `name` and the line: another number of fields than columns, a quote
///          that does not end, a column twice.
CsvTable parse_csv(std::string_view text, std::string_view name);
CsvTable read_csv(const std::filesystem::path& path);

/// The field of a column that must be there. Errors: kCorruptData naming both.
const std::string& csv_field(const std::map<std::string, std::string>& row,
                             const std::string& column, std::string_view name);

}  // namespace cadenza
