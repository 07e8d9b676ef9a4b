// UniAD's and IUF's lists: a line an image, {"filename": "bottle/test/crack/002.png", "label": 1,
// "label_name": "defective", "maskname": "bottle/ground_truth/...", "clsname": "bottle"}.
// A root that is a folder with train*.json and test*.json is read whole. Images lie beside the list
// or in a folder beside it (data/MVTec-AD/mvtec_anomaly_detection).
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/base/json.h"
#include "cadenza/dataset/folder_listing.h"
#include "cadenza/dataset/layout.h"
#include "cadenza/dataset/listed_image.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  const auto bytes = read_file(file);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool is_list_name(const fs::path& file) {
  return file.extension() == ".json" || file.extension() == ".jsonl";
}

/// The first line that is not empty is an object with a filename.
bool is_list(const fs::path& file) {
  std::error_code failure;
  if (!is_list_name(file) || !fs::is_regular_file(file, failure)) return false;
  const auto text = text_of(file);
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos || text[begin] != '{') return false;
  const auto line = text.substr(begin, text.find('\n', begin) - begin);
  const auto object = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  return object.is_object() && object.contains("filename");
}

/// The lists of a root: the file itself, or the lists in the folder.
std::vector<fs::path> lists_of(const fs::path& root) {
  if (fs::is_regular_file(root)) return {root};
  std::vector<std::string> notes;
  std::vector<fs::path> lists;
  for (const auto& file : list_folder(root, notes).others) {
    if (is_list(file)) lists.push_back(file);
  }
  return lists;
}

/// The folder that the list's paths start from.
fs::path folder_of(const fs::path& list, const std::string& file) {
  const auto beside = list.parent_path();
  if (fs::exists(beside / file)) return beside;
  std::vector<std::string> notes;
  for (const auto& folder : list_folder(beside, notes).folders) {
    if (fs::exists(folder / file)) return folder;
  }
  throw Error(ErrorCode::kNotFound, cat(list.string(), ": names ", file,
                                        ", which lies neither beside the list nor in a folder "
                                        "beside it"));
}

/// "train.json" tells the split of all its lines, other names leave it to the paths.
std::optional<Split> split_of_list(const fs::path& list) {
  const auto stem = list.stem().string();
  if (stem.find("train") != std::string::npos) return Split::kTrain;
  if (stem.find("test") != std::string::npos) return Split::kTest;
  return std::nullopt;
}

/// "bottle" of bottle/test/crack/002.png: the fourth component from the end.
std::string task_of_path(const fs::path& file) {
  std::vector<std::string> parts;
  for (const auto& part : file) parts.push_back(part.string());
  return parts.size() >= 4 ? parts[parts.size() - 4] : std::string();
}

Sample read_line(const Json& object, const fs::path& list, const std::string& where) {
  const auto& name = json_member(object, "filename", where);
  const auto& label = json_member(object, "label", where);
  CADENZA_REQUIRE(name.is_string() && label.is_number_integer(), ErrorCode::kCorruptData, where,
                  ": expected a text filename and a whole-number label");
  const auto file = name.get<std::string>();
  const auto folder = folder_of(list, file);
  Sample sample;
  sample.file = folder / file;
  sample.is_defect = label.get<int>() != 0;
  sample.split = split_of_list(list).value_or(split_of_path(file, Split::kTest));
  sample.task = object.value("clsname", task_of_path(file));
  CADENZA_REQUIRE(!sample.task.empty(), ErrorCode::kCorruptData, where,
                  ": has no clsname, and the path ", file, " shows none");
  if (sample.is_defect) {
    sample.defect_type = fs::path(file).parent_path().filename().string();
    if (sample.defect_type.empty()) sample.defect_type = "defect";
    if (object.contains("maskname") && object["maskname"].is_string()) {
      const auto mask = object["maskname"].get<std::string>();
      CADENZA_REQUIRE(fs::exists(folder / mask), ErrorCode::kNotFound, where, ": names the mask ",
                      mask, ", but there is no ", (folder / mask).string());
      sample.masks = {{.path = folder / mask, .saturation_px = {}}};
    }
  }
  return sample;
}

Dataset read(const fs::path& root) {
  Dataset dataset;
  for (const auto& list : lists_of(root)) {
    const auto text = text_of(list);
    std::size_t line_number = 0;
    for (std::size_t begin = 0; begin < text.size();) {
      const auto end = std::min(text.find('\n', begin), text.size());
      const auto line = std::string_view(text).substr(begin, end - begin);
      begin = end + 1;
      ++line_number;
      if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
      const auto where = cat(list.string(), ": line ", line_number);
      dataset.samples.push_back(read_line(parse_json(line, where), list, where));
    }
  }
  return dataset;
}

}  // namespace

void register_jsonl(LayoutRegistry& registry) {
  registry.add({.name = "jsonl",
                .summary = "UniAD's and IUF's lists: a JSON object a line, or a folder with "
                           "train.json and test.json",
                .precedence = 20,
                .matches =
                    [](const fs::path& root) {
                      return fs::is_regular_file(root) ? is_list(root) : !lists_of(root).empty();
                    },
                .read = read});
}

}  // namespace cadenza
