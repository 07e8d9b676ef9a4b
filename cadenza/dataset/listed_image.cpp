#include "cadenza/dataset/listed_image.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "cadenza/base/error.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 4> kNormal{"good", "normal", "ok", "0"};
constexpr std::array<std::string_view, 8> kDefect{"bad",       "defect",   "defective", "anomaly",
                                                  "anomalous", "abnormal", "ng",        "1"};

std::string lower(std::string_view text) {
  std::string small(text);
  std::ranges::transform(small, small.begin(), [](unsigned char letter) {
    return static_cast<char>(std::tolower(letter));
  });
  return small;
}

std::optional<Split> split_named(std::string_view name) {
  const auto small = lower(name);
  if (small == "train") return Split::kTrain;
  if (small == "validation" || small == "val") return Split::kValidation;
  if (small == "test") return Split::kTest;
  return std::nullopt;
}

}  // namespace

fs::path listed_path(const fs::path& list, const std::string& file) {
  const fs::path path = list.parent_path() / file;
  CADENZA_REQUIRE(fs::exists(path), ErrorCode::kNotFound, list.string(), ": names ", file,
                  ", but there is no ", path.string());
  return path;
}

Split parse_split(std::string_view text, std::string_view where) {
  const auto split = split_named(text);
  CADENZA_REQUIRE(split.has_value(), ErrorCode::kCorruptData, where,
                  ": expected the split train, validation or test, found '", text, "'");
  return *split;
}

Split split_of_path(const fs::path& file, Split otherwise) {
  for (auto folder = file.parent_path(); folder.has_filename(); folder = folder.parent_path()) {
    if (const auto split = split_named(folder.filename().string())) return *split;
  }
  return otherwise;
}

bool parse_label(std::string_view text, std::string_view where) {
  const bool is_normal = names_normals(text);
  CADENZA_REQUIRE(is_normal || names_defects(text), ErrorCode::kCorruptData, where,
                  ": expected a label such as good or bad, 0 or 1, found '", text, "'");
  return !is_normal;
}

bool names_normals(std::string_view name) {
  return std::ranges::find(kNormal, lower(name)) != kNormal.end();
}

bool names_defects(std::string_view name) {
  return std::ranges::find(kDefect, lower(name)) != kDefect.end();
}

}  // namespace cadenza
