// InCTRL's lists: a JSON array of {"image_path": "./mvtec/bottle/test/crack/000.png", "target": 1,
// "type": "bottle"}. Paths are relative to the list's folder or one above it; there are no masks.
#include <string>
#include <utility>

#include "cadenza/base/error.h"
#include "cadenza/base/json.h"
#include "cadenza/dataset/folder_listing.h"
#include "cadenza/dataset/layout.h"
#include "cadenza/dataset/listed_image.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;

bool is_list(const fs::path& file) {
  std::error_code failure;
  if (file.extension() != ".json" || !fs::is_regular_file(file, failure)) return false;
  try {
    const auto list = read_json(file);
    return list.is_array() && !list.empty() && list[0].is_object() &&
           list[0].contains("image_path");
  } catch (const Error&) {
    return false;
  }
}

std::vector<fs::path> lists_of(const fs::path& root) {
  if (fs::is_regular_file(root)) return {root};
  std::vector<std::string> notes;
  std::vector<fs::path> lists;
  for (const auto& file : list_folder(root, notes).others) {
    if (is_list(file)) lists.push_back(file);
  }
  return lists;
}

fs::path find_image(const fs::path& list, const std::string& file) {
  for (auto folder = fs::absolute(list).parent_path();; folder = folder.parent_path()) {
    if (fs::exists(folder / file)) return (folder / file).lexically_normal();
    CADENZA_REQUIRE(folder.has_relative_path(), ErrorCode::kNotFound, list.string(), ": names ",
                    file, ", which lies neither beside the list nor in a folder above it");
  }
}

Dataset read(const fs::path& root) {
  Dataset dataset;
  for (const auto& list : lists_of(root)) {
    const auto name = list.string();
    const auto entries = read_json(list);
    for (std::size_t index = 0; index < entries.size(); ++index) {
      const auto where = cat(name, ": entry ", index);
      const auto& path = json_member(entries[index], "image_path", where);
      const auto& target = json_member(entries[index], "target", where);
      const auto& type = json_member(entries[index], "type", where);
      CADENZA_REQUIRE(path.is_string() && target.is_number() && type.is_string(),
                      ErrorCode::kCorruptData, where,
                      ": expected a text image_path, a number target and a text type");
      Sample sample;
      sample.file = find_image(list, path.get<std::string>());
      sample.task = type.get<std::string>();
      sample.is_defect = target.get<double>() > 0.5;
      if (sample.is_defect) sample.defect_type = sample.file.parent_path().filename().string();
      const bool is_validation = list.stem().string().find("_val_") != std::string::npos;
      sample.split = sample.is_defect
                         ? Split::kTest
                         : split_of_path(sample.file, is_validation ? Split::kTest : Split::kTrain);
      dataset.samples.push_back(std::move(sample));
    }
  }
  return dataset;
}

}  // namespace

void register_inctrl(LayoutRegistry& registry) {
  registry.add({.name = "inctrl",
                .summary = "InCTRL's lists: a JSON array of image_path, target and type",
                .precedence = 15,
                .matches =
                    [](const fs::path& root) {
                      return fs::is_regular_file(root) ? is_list(root) : !lists_of(root).empty();
                    },
                .read = read});
}

}  // namespace cadenza
