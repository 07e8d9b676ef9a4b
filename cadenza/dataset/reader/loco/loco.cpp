// MVTec LOCO AD: as mvtec, with validation/good, several masks an image in
// ground_truth/<defect>/<stem>/NNN.png, and defects_config.json, which says of each kind of defect
// (a mask's one grey value) from how many pixels it counts as found.
#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cadenza/base/error.h"
#include "cadenza/base/json.h"
#include "cadenza/dataset/layout.h"
#include "cadenza/dataset/reader/mvtec/mvtec.h"
#include "cadenza/image/decode.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = "defects_config.json";

struct Saturation {
  double threshold = 0;
  bool is_relative = false;  ///< of the defect's area
};

std::map<int, Saturation> read_config(const fs::path& file) {
  std::map<int, Saturation> known;
  if (!fs::exists(file)) return known;
  const auto name = file.string();
  const auto config = read_json(file);
  CADENZA_REQUIRE(config.is_array(), ErrorCode::kCorruptData, name, ": expected a list of defects");
  for (const auto& defect : config) {
    const auto& value = json_member(defect, "pixel_value", name);
    const auto& threshold = json_member(defect, "saturation_threshold", name);
    const auto& relative = json_member(defect, "relative_saturation", name);
    CADENZA_REQUIRE(value.is_number_integer() && threshold.is_number() && relative.is_boolean(),
                    ErrorCode::kCorruptData, name,
                    ": expected a whole pixel_value, a number saturation_threshold and a true or "
                    "false relative_saturation in ",
                    defect.dump());
    known[value.get<int>()] = {threshold.get<double>(), relative.get<bool>()};
  }
  return known;
}

MaskFile read_mask(const fs::path& file, const std::map<int, Saturation>& config) {
  const auto picture = read_image(file, {.min_side_px = 1});
  int value = 0;
  double area = 0;
  for (std::size_t at = 0; at < picture.pixels.size();
       at += static_cast<std::size_t>(picture.n_channels)) {
    if (picture.pixels[at] == 0) continue;
    CADENZA_REQUIRE(value == 0 || value == picture.pixels[at], ErrorCode::kCorruptData,
                    file.string(), ": expected one grey value above 0, found ", value, " and ",
                    static_cast<int>(picture.pixels[at]));
    value = picture.pixels[at];
    ++area;
  }
  MaskFile mask{.path = file, .saturation_px = {}};
  const auto found = config.find(value);
  if (found != config.end() && area > 0) {
    const auto& [threshold, is_relative] = found->second;
    mask.saturation_px =
        is_relative ? std::max(1.0, std::floor(threshold * area)) : std::min(threshold, area);
  }
  return mask;
}

/// The folders of masks that no image asked for.
void note_unmatched(const fs::path& folder, const std::set<std::string>& asked,
                    std::vector<std::string>& notes) {
  for (const auto& masks : list_folder(folder, notes).folders) {
    if (!asked.contains(masks.filename().string())) {
      notes.push_back(cat(masks.string(), ": masks without an image; left out"));
    }
  }
}

Dataset read(const fs::path& root) {
  Dataset dataset;
  for (const auto& task : mvtec_tasks(root, dataset.notes)) {
    const auto config = read_config(task / kConfig);
    read_mvtec_task(
        task,
        [&](const std::string& defect) -> MaskFinder {
          const auto folder = task / "ground_truth" / defect;
          // Noted when the last copy of the finder goes.
          const std::shared_ptr<std::set<std::string>> asked(
              new std::set<std::string>(), [&dataset, folder](const std::set<std::string>* done) {
                note_unmatched(folder, *done, dataset.notes);
                delete done;
              });
          return [&config, &dataset, folder, asked](const fs::path& image) {
            std::vector<MaskFile> masks;
            asked->insert(image.stem().string());
            for (const auto& file : list_folder(folder / image.stem(), dataset.notes).images) {
              masks.push_back(read_mask(file, config));
            }
            return masks;
          };
        },
        dataset);
  }
  return dataset;
}

bool is_loco_task(const fs::path& folder) {
  std::error_code failure;
  return fs::is_directory(folder / "train" / "good", failure) &&
         fs::exists(folder / kConfig, failure);
}

}  // namespace

void register_loco(LayoutRegistry& registry) {
  registry.add({.name = "loco",
                .summary = "as mvtec, with TASK/defects_config.json and a folder of masks an image",
                .precedence = 0,
                .matches =
                    [](const fs::path& root) {
                      std::vector<std::string> notes;
                      return is_loco_task(root) ||
                             std::ranges::any_of(list_folder(root, notes).folders, is_loco_task);
                    },
                .read = read});
}

}  // namespace cadenza
