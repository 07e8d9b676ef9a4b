// Photographs in folders, without a standard: a task is a folder with normals in good, normal or ok
// (or directly in it) and, where there are any, defects in bad, defect, defective, anomaly,
// abnormal or ng; or the same names below test. Masks lie in mask, masks or ground_truth by the
// image's stem. A root is one task, or a folder of tasks.
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "cadenza/base/error.h"
#include "cadenza/dataset/folder_listing.h"
#include "cadenza/dataset/layout.h"
#include "cadenza/dataset/listed_image.h"
#include "cadenza/dataset/reader/mvtec/mvtec.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 3> kMaskFolders{"mask", "masks", "ground_truth"};

bool is_mask_folder(const std::string& name) {
  return std::ranges::find(kMaskFolders, name) != kMaskFolders.end();
}

bool is_of_task(const std::string& name) {
  return names_normals(name) || names_defects(name) || name == "train" || name == "test";
}

bool is_task(const fs::path& folder) {
  std::vector<std::string> notes;
  const auto listing = list_folder(folder, notes);
  return !listing.images.empty() || std::ranges::any_of(listing.folders, [](const fs::path& inner) {
    return is_of_task(inner.filename().string());
  });
}

class TaskReader {
 public:
  TaskReader(const fs::path& task, Dataset& dataset)
      : task_(task), name_(folder_name(task)), dataset_(dataset) {}

  void read() {
    const auto listing = list_folder(task_, dataset_.notes);
    note_ignored(task_, listing.others, dataset_.notes);
    for (const auto& image : listing.images) add(image, Split::kTrain, "good");
    for (const auto& folder : listing.folders) {
      const auto folder_name = folder.filename().string();
      if (folder_name == "test" || folder_name == "train") {
        const auto split = folder_name == "test" ? Split::kTest : Split::kTrain;
        const auto inner = list_folder(folder, dataset_.notes);
        for (const auto& image : inner.images) {
          if (split == Split::kTrain) add(image, split, "good");
        }
        if (split == Split::kTest) note_ignored(folder, inner.images, dataset_.notes);
        for (const auto& kind : inner.folders) add_folder(kind, split, /*is_named=*/true);
      } else if (!is_mask_folder(folder_name)) {
        add_folder(folder, Split::kTrain, names_normals(folder_name) || names_defects(folder_name));
      }
    }
    for (const auto& [kind, masks] : masks_) masks->note_unmatched(dataset_.notes);
  }

 private:
  void add_folder(const fs::path& folder, Split split, bool is_named) {
    const auto kind = folder.filename().string();
    if (!is_named) {
      dataset_.notes.push_back(cat(folder.string(),
                                   ": neither normals (good, normal, ok) nor "
                                   "defects (bad, defect, ...); left out"));
      return;
    }
    const bool is_normal = names_normals(kind);
    if (!is_normal && split == Split::kTrain && folder.parent_path().filename() == "train") {
      dataset_.notes.push_back(cat(folder.string(), ": training takes normals alone; left out"));
      return;
    }
    const auto listing = list_folder(folder, dataset_.notes);
    note_ignored(folder, listing.others, dataset_.notes);
    for (const auto& image : listing.images) {
      add(image, is_normal ? split : Split::kTest, is_normal ? "good" : kind);
    }
  }

  void add(const fs::path& image, Split split, const std::string& kind) {
    Sample sample{.file = image, .task = name_, .split = split};
    sample.is_defect = kind != "good";
    sample.defect_type = kind;
    if (sample.is_defect) sample.masks = masks_of(kind).take(image);
    dataset_.samples.push_back(std::move(sample));
  }

  /// In a mask folder's sub-folder of the defect's name, or in the mask folder itself.
  MaskFolder& masks_of(const std::string& kind) {
    auto& masks = masks_[kind];
    for (const auto name : kMaskFolders) {
      if (masks) break;
      for (const auto& folder : {task_ / name / kind, task_ / name}) {
        MaskFolder found(folder, dataset_.notes);
        if (masks || found.empty()) continue;
        masks = std::make_unique<MaskFolder>(std::move(found));
      }
    }
    if (!masks) masks = std::make_unique<MaskFolder>(fs::path(), dataset_.notes);
    return *masks;
  }

  fs::path task_;
  std::string name_;
  Dataset& dataset_;
  std::map<std::string, std::unique_ptr<MaskFolder>> masks_;
};

std::vector<fs::path> tasks_of(const fs::path& root, std::vector<std::string>& notes) {
  if (is_task(root)) return {root};
  std::vector<fs::path> tasks;
  for (const auto& folder : list_folder(root, notes).folders) {
    if (is_task(folder)) {
      tasks.push_back(folder);
    } else {
      notes.push_back(cat(folder.string(), ": holds no images; left out"));
    }
  }
  return tasks;
}

Dataset read(const fs::path& root) {
  Dataset dataset;
  for (const auto& task : tasks_of(root, dataset.notes)) TaskReader(task, dataset).read();
  return dataset;
}

}  // namespace

void register_folder(LayoutRegistry& registry) {
  registry.add({.name = "folder",
                .summary = "TASK/good and TASK/bad, or photographs in TASK",
                .precedence = 100,
                .matches =
                    [](const fs::path& root) {
                      std::error_code failure;
                      std::vector<std::string> notes;
                      return fs::is_directory(root, failure) && !tasks_of(root, notes).empty();
                    },
                .read = read});
}

}  // namespace cadenza
