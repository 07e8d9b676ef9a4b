#include "cadenza/cli/predict/prediction.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <system_error>

#include "cadenza/cli/model_access.h"

namespace cadenza {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 16> kColumns = {
    "file",         "task",         "nearest_task",     "task_distance", "label",
    "score",        "p_value",      "threshold",        "overlay",       "map",
    "mask",         "model_digest", "model_generation", "milliseconds",  "error_code",
    "error_message"};

constexpr std::array<std::string_view, 16> kTestedColumns = {
    "file",  "true_task",    "true_label", "task",         "nearest_task", "task_distance",
    "label", "score",        "p_value",    "threshold",    "overlay",      "map",
    "mask",  "milliseconds", "error_code", "error_message"};

/// The member that a column shows: model_digest is model.digest.
Json cell_of(const Json& line, std::string_view column) {
  for (const std::string_view group : {"model_", "error_"}) {
    const std::string parent(group.substr(0, group.size() - 1));
    if (column.starts_with(group)) {
      return line.contains(parent) ? line.at(parent).at(std::string(column.substr(group.size())))
                                   : Json();
    }
  }
  return line.value(std::string(column), Json());
}

/// RFC 4180: quoted where a comma, a quote or a line break would mislead.
std::string csv_text(const Json& cell) {
  if (cell.is_null()) return "";
  if (!cell.is_string()) return cell.dump();
  const std::string text = cell.get<std::string>();
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char letter : text) quoted += letter == '"' ? "\"\"" : std::string(1, letter);
  return quoted + "\"";
}

std::string header_row(std::span<const std::string_view> columns) {
  std::string row;
  for (const auto column : columns) row += cat(row.empty() ? "" : ",", column);
  return row + "\n";
}

std::string csv_row(const Json& line, std::span<const std::string_view> columns) {
  std::string row;
  for (const auto column : columns) {
    row += cat(column == columns[0] ? "" : ",", csv_text(cell_of(line, column)));
  }
  return row + "\n";
}

std::string number_or(const Json& value, const char* otherwise) {
  return value.is_number() ? number_text(value.get<double>()) : otherwise;
}

}  // namespace

Json prediction_line(const fs::path& file, const Verdict& verdict, const Json& pictures,
                     const Json& model) {
  Json line = {{"file", file.string()}};
  line.update(to_json(verdict));
  const Json milliseconds = line["milliseconds"];
  line.erase("milliseconds");
  line.update(pictures);
  line["model"] = model;
  line["milliseconds"] = milliseconds;
  return line;
}

Json failure_line(const fs::path& file, const Error& error) {
  return {{"file", file.string()},
          {"error", {{"code", to_string(error.code())}, {"message", error.what()}}}};
}

std::string to_text(const Json& line) {
  return line.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string describe(const Json& line) {
  std::string text = line.at("file").get<std::string>() + ": ";
  if (line.contains("error"))
    return cat(text, "error: ", line["error"]["message"].get<std::string>());
  const auto label = line.at("label").get<std::string>();
  text += label;
  if (line.contains("nearest_task")) {
    text += cat(" product, nearest ", line["nearest_task"].get<std::string>(), " at distance ",
                number_or(line["task_distance"], "-"));
  } else if (line["task"].is_string()) {
    text += cat(" ", line["task"].get<std::string>());
  }
  if (line["score"].is_null()) return text + " (the model knows no product yet)";
  text += cat(", score ", number_or(line["score"], "-"));
  if (line["threshold"].is_number()) text += cat(", threshold ", number_or(line["threshold"], "-"));
  if (line["p_value"].is_number()) text += cat(", p ", number_or(line["p_value"], "-"));
  const auto n_regions = line["regions"].size();
  if (n_regions > 0) text += cat(", ", n_regions, n_regions == 1 ? " region" : " regions");
  return text;
}

std::string tested_csv(std::string_view lines) {
  std::string table = header_row(kTestedColumns);
  for (std::size_t start = 0; start < lines.size();) {
    const auto end = std::min(lines.find('\n', start), lines.size());
    table += csv_row(parse_json(lines.substr(start, end - start), "predictions"), kTestedColumns);
    start = end + 1;
  }
  return table;
}

PredictionFiles::PredictionFiles(const fs::path& folder) : folder_(folder) {
  std::error_code failure;
  fs::create_directories(folder, failure);
  CADENZA_REQUIRE(!failure, ErrorCode::kIo, folder.string(),
                  ": cannot create the folder: ", failure.message());
  lines_.open(folder / "predictions.jsonl");
  table_.open(folder / "predictions.csv");
  table_ << header_row(kColumns) << std::flush;
  require_good();
}

void PredictionFiles::add(const Json& line) {
  lines_ << to_text(line) << '\n' << std::flush;
  table_ << csv_row(line, kColumns) << std::flush;
  require_good();
}

void PredictionFiles::require_good() const {
  CADENZA_REQUIRE(lines_.good() && table_.good(), ErrorCode::kIo, folder_.string(),
                  ": predictions cannot be written there; is the disk full or read-only?");
}

}  // namespace cadenza
