// A .csv file with a line an image: file, split, label, and where known task, defect_type, mask
// (several separated by ';'). Paths are relative to the file's folder.
#include <string>
#include <utility>

#include "cadenza/base/error.h"
#include "cadenza/base/suggest.h"
#include "cadenza/dataset/csv_table.h"
#include "cadenza/dataset/layout.h"
#include "cadenza/dataset/listed_image.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;

Dataset read(const fs::path& list) {
  const auto name = list.string();
  const auto table = read_csv(list);
  const auto optional = [](const std::map<std::string, std::string>& row, const char* column) {
    const auto found = row.find(column);
    return found == row.end() ? std::string() : found->second;
  };
  Dataset dataset;
  for (const auto& row : table.rows) {
    Sample sample;
    sample.file = listed_path(list, csv_field(row, "file", name));
    sample.split = parse_split(csv_field(row, "split", name), name);
    sample.is_defect = parse_label(csv_field(row, "label", name), name);
    const auto task = optional(row, "task");
    sample.task = task.empty() ? list.stem().string() : task;
    const auto type = optional(row, "defect_type");
    if (sample.is_defect) sample.defect_type = type.empty() ? "defect" : type;
    auto masks = optional(row, "mask");
    while (sample.is_defect && !masks.empty()) {
      const auto end = std::min(masks.find(';'), masks.size());
      sample.masks.push_back(
          {.path = listed_path(list, masks.substr(0, end)), .saturation_px = {}});
      masks.erase(0, end + 1);
    }
    dataset.samples.push_back(std::move(sample));
  }
  return dataset;
}

}  // namespace

void register_csv(LayoutRegistry& registry) {
  registry.add({.name = "csv",
                .summary = "a .csv file with columns file, split, label[, task, defect_type, mask]",
                .precedence = 5,
                .matches =
                    [](const fs::path& root) {
                      return fs::is_regular_file(root) && root.extension() == ".csv";
                    },
                .read = read});
}

}  // namespace cadenza
