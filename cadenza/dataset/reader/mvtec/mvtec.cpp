// <root>/<task>/train/good/*, test/<defect|good>/*, ground_truth/<defect>/<stem>[_mask].*
#include "cadenza/dataset/reader/mvtec/mvtec.h"

#include <memory>
#include <utility>

#include "cadenza/base/error.h"
#include "cadenza/dataset/layout.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;

constexpr const char* kGood = "good";

bool is_task(const fs::path& folder) {
  std::error_code failure;
  return fs::is_directory(folder / "train" / kGood, failure);
}

void add_images(const fs::path& folder, const Sample& like, const MaskFinder& masks,
                Dataset& dataset) {
  const auto listing = list_folder(folder, dataset.notes);
  note_ignored(folder, listing.others, dataset.notes);
  for (const auto& inner : listing.folders) {
    dataset.notes.push_back(cat(inner.string(), ": a folder where images are expected; left out"));
  }
  std::size_t n_masked = 0;
  const auto first = dataset.samples.size();
  for (const auto& image : listing.images) {
    Sample sample = like;
    sample.file = image;
    if (masks) sample.masks = masks(image);
    n_masked += sample.masks.empty() ? 0 : 1;
    dataset.samples.push_back(std::move(sample));
  }
  if (n_masked == 0) return;
  for (std::size_t index = first; index < dataset.samples.size(); ++index) {
    const auto& sample = dataset.samples[index];
    if (sample.masks.empty()) dataset.notes.push_back(cat(sample.file.string(), ": has no mask"));
  }
}

Dataset read(const fs::path& root) {
  Dataset dataset;
  for (const auto& task : mvtec_tasks(root, dataset.notes)) {
    read_mvtec_task(
        task,
        [&](const std::string& defect) -> MaskFinder {
          const auto folder = task / "ground_truth" / defect;
          // Unmatched masks are noted when the last copy of the finder goes.
          const std::shared_ptr<MaskFolder> masks(new MaskFolder(folder, dataset.notes),
                                                  [&dataset](const MaskFolder* done) {
                                                    done->note_unmatched(dataset.notes);
                                                    delete done;
                                                  });
          return [masks](const fs::path& image) { return masks->take(image); };
        },
        dataset);
  }
  return dataset;
}

}  // namespace

std::string folder_name(const fs::path& folder) {
  const auto whole = fs::absolute(folder).lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

std::vector<fs::path> mvtec_tasks(const fs::path& root, std::vector<std::string>& notes) {
  if (is_task(root)) return {root};
  const auto listing = list_folder(root, notes);
  note_ignored(root, listing.images, notes);
  std::vector<fs::path> tasks;
  for (const auto& folder : listing.folders) {
    if (is_task(folder)) {
      tasks.push_back(folder);
    } else {
      notes.push_back(cat(folder.string(), ": has no train/good; left out"));
    }
  }
  return tasks;
}

void read_mvtec_task(const fs::path& task,
                     const std::function<MaskFinder(const std::string& defect)>& find_masks,
                     Dataset& dataset) {
  const auto name = folder_name(task);
  for (const auto& [folder, split] :
       {std::pair{"train", Split::kTrain}, std::pair{"validation", Split::kValidation}}) {
    add_images(task / folder / kGood, {.file = {}, .task = name, .split = split}, {}, dataset);
  }
  for (const auto& folder : list_folder(task / "train", dataset.notes).folders) {
    if (folder.filename() != kGood) {
      dataset.notes.push_back(cat(folder.string(), ": training takes normals alone; left out"));
    }
  }
  const auto tests = list_folder(task / "test", dataset.notes);
  note_ignored(task / "test", tests.images, dataset.notes);
  for (const auto& folder : tests.folders) {
    const auto defect = folder.filename().string();
    Sample like{.file = {}, .task = name, .split = Split::kTest};
    like.is_defect = defect != kGood;
    like.defect_type = defect;
    add_images(folder, like, like.is_defect ? find_masks(defect) : MaskFinder(), dataset);
  }
}

void register_mvtec(LayoutRegistry& registry) {
  registry.add({.name = "mvtec",
                .summary = "TASK/train/good, TASK/test/DEFECT, TASK/ground_truth/DEFECT",
                .precedence = 10,
                .matches =
                    [](const fs::path& root) {
                      std::vector<std::string> notes;
                      if (is_task(root)) return true;
                      for (const auto& folder : list_folder(root, notes).folders) {
                        if (is_task(folder)) return true;
                      }
                      return false;
                    },
                .read = read});
}

}  // namespace cadenza
