// VisA as published: <root>/<object>/Data/{Images,Masks}/{Normal,Anomaly}/* and
// <root>/split_csv/1cls.csv with columns object,split,label,image,mask (paths from the root).
// The converted tree is that of mvtec and read as such. Masks hold small class numbers: above 0 is
// defect.
#include "cadenza/base/error.h"
#include "cadenza/dataset/csv_table.h"
#include "cadenza/dataset/layout.h"
#include "cadenza/dataset/listed_image.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;

fs::path list_of(const fs::path& root) { return root / "split_csv" / "1cls.csv"; }

Dataset read(const fs::path& root) {
  const auto list = list_of(root);
  const auto name = list.string();
  const auto below_root = root / "list";  // paths in the list are relative to the root
  Dataset dataset;
  for (const auto& row : read_csv(list).rows) {
    Sample sample;
    sample.file = listed_path(below_root, csv_field(row, "image", name));
    sample.task = csv_field(row, "object", name);
    sample.split = parse_split(csv_field(row, "split", name), name);
    sample.is_defect = parse_label(csv_field(row, "label", name), name);
    if (sample.is_defect) sample.defect_type = "anomaly";
    const auto& mask = csv_field(row, "mask", name);
    if (sample.is_defect && !mask.empty()) {
      sample.masks = {{.path = listed_path(below_root, mask), .saturation_px = {}}};
    }
    dataset.samples.push_back(std::move(sample));
  }
  return dataset;
}

}  // namespace

void register_visa(LayoutRegistry& registry) {
  registry.add({.name = "visa",
                .summary = "the published VisA tree with split_csv/1cls.csv",
                .precedence = 5,
                .matches = [](const fs::path& root) { return fs::exists(list_of(root)); },
                .read = read});
}

}  // namespace cadenza
