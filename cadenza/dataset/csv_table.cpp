#include "cadenza/dataset/csv_table.h"

#include <algorithm>
#include <optional>

#include "cadenza/base/error.h"
#include "cadenza/base/file.h"

namespace cadenza {
namespace {

/// Takes lines apart; knows where it is.
class CsvReader {
 public:
  CsvReader(std::string_view text, std::string_view name) : text_(text), name_(name) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
  }

  /// The fields of the next line that is not empty.
  std::optional<std::vector<std::string>> next() {
    while (at_ < text_.size()) {
      ++line_;
      auto fields = line();
      if (fields.size() > 1 || !fields[0].empty()) return fields;
    }
    return std::nullopt;
  }
  std::string where() const { return cat(name_, ": line ", line_); }

 private:
  std::vector<std::string> line() {
    std::vector<std::string> fields;
    do {
      fields.push_back(field());
    } while (at_ < text_.size() && text_[at_++] == ',');
    return fields;
  }

  /// Up to the comma or the end of the line, which stays.
  std::string field() {
    if (at_ < text_.size() && text_[at_] == '"') return quoted();
    const auto end = std::min(text_.find_first_of(",\n", at_), text_.size());
    auto value = text_.substr(at_, end - at_);
    at_ = end;
    if (value.ends_with('\r')) value.remove_suffix(1);
    return std::string(value);
  }

  std::string quoted() {
    std::string value;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] != '"') {
        value += text_[at_];
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        value += text_[at_++];
      } else {
        ++at_;
        if (at_ < text_.size() && text_[at_] == '\r') ++at_;
        CADENZA_REQUIRE(at_ >= text_.size() || text_[at_] == ',' || text_[at_] == '\n',
                        ErrorCode::kCorruptData, where(),
                        ": expected a comma or the end of the line behind a quoted field");
        return value;
      }
    }
    throw Error(ErrorCode::kCorruptData, cat(where(), ": a quote that does not end"));
  }

  std::string_view text_;
  std::string_view name_;
  std::size_t at_ = 0;
  std::size_t line_ = 0;
};

}  // namespace

CsvTable parse_csv(std::string_view text, std::string_view name) {
  CsvReader reader(text, name);
  CsvTable table;
  auto header = reader.next();
  if (!header) return table;
  table.columns = *std::move(header);
  for (const auto& column : table.columns) {
    CADENZA_REQUIRE(std::ranges::count(table.columns, column) == 1, ErrorCode::kCorruptData,
                    reader.where(), ": column '", column, "' stands there twice");
  }
  while (auto fields = reader.next()) {
    CADENZA_REQUIRE(fields->size() == table.columns.size(), ErrorCode::kCorruptData, reader.where(),
                    ": expected ", table.columns.size(), " fields, found ", fields->size());
    auto& row = table.rows.emplace_back();
    for (std::size_t column = 0; column < fields->size(); ++column) {
      row[table.columns[column]] = std::move((*fields)[column]);
    }
  }
  return table;
}

CsvTable read_csv(const std::filesystem::path& path) {
  const auto bytes = read_file(path);
  return parse_csv({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string());
}

const std::string& csv_field(const std::map<std::string, std::string>& row,
                             const std::string& column, std::string_view name) {
  const auto found = row.find(column);
  CADENZA_REQUIRE(found != row.end(), ErrorCode::kCorruptData, name, ": has no column '", column,
                  "'");
  return found->second;
}

}  // namespace cadenza
