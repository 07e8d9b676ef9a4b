#include "cadenza/dataset/convert/mvtec_tree.h"

#include <algorithm>
#include <map>
#include <set>
#include <system_error>

#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/image/decode.h"
#include "cadenza/image/encode.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;

void require_folder_name(const std::string& name, const Sample& sample, const char* what) {
  CADENZA_REQUIRE(!name.empty() && name != "." && name != ".." &&
                      name.find('/') == std::string::npos && name.find('\0') == std::string::npos,
                  ErrorCode::kInvalidArgument, sample.file.string(), ": its ", what, " '", name,
                  "' cannot be the name of a folder; rename it in the list");
}

const char* folder_of(Split split) {
  return split == Split::kTrain ? "train" : split == Split::kTest ? "test" : "validation";
}

/// All masks of an image in one.
Image unite_masks(const Sample& sample) {
  Image united;
  for (const auto& file : sample.masks) {
    const auto mask = read_image(file.path, {.min_side_px = 1});
    if (united.pixels.empty()) {
      united = {mask.height_px, mask.width_px, 1, {}};
      united.pixels.resize(static_cast<std::size_t>(mask.height_px * mask.width_px), 0);
    }
    CADENZA_REQUIRE(mask.height_px == united.height_px && mask.width_px == united.width_px,
                    ErrorCode::kCorruptData, file.path.string(), ": the mask is ", mask.width_px,
                    "x", mask.height_px, " pixels, another of ", sample.file.string(), " is ",
                    united.width_px, "x", united.height_px, "; they must be of one size");
    for (std::size_t at = 0; at < mask.pixels.size(); ++at) {
      if (mask.pixels[at] > 0) united.pixels[at / static_cast<std::size_t>(mask.n_channels)] = 255;
    }
  }
  const auto image = read_image(sample.file);
  CADENZA_REQUIRE(image.height_px == united.height_px && image.width_px == united.width_px,
                  ErrorCode::kCorruptData, sample.masks.front().path.string(), ": the mask is ",
                  united.width_px, "x", united.height_px, " pixels, its image ",
                  sample.file.string(), " is ", image.width_px, "x", image.height_px,
                  "; they must be of one size");
  return united;
}

class TreeWriter {
 public:
  TreeWriter(fs::path out, Transfer transfer) : out_(std::move(out)), transfer_(transfer) {}

  void add(const Sample& sample) {
    require_folder_name(sample.task, sample, "task");
    require_folder_name(sample.defect_type, sample, "label");
    if (sample.is_defect && sample.split != Split::kTest) {
      ++n_left_out_[sample.task];
      return;
    }
    CADENZA_REQUIRE(sample.is_defect == (sample.defect_type != "good"), ErrorCode::kInvalidArgument,
                    sample.file.string(), ": a ", sample.is_defect ? "defect" : "normal",
                    " with the label '", sample.defect_type,
                    "'; in this layout 'good' alone holds normals");
    const auto folder = out_ / sample.task / folder_of(sample.split) / sample.defect_type;
    auto stem = free_stem(folder, sample.file);
    fs::create_directories(folder);
    auto name = stem;
    name += sample.file.extension();
    transfer_file(sample.file, folder / name, transfer_);
    ++report_.n_images;
    if (sample.masks.empty()) return;
    const auto masks = out_ / sample.task / "ground_truth" / sample.defect_type;
    fs::create_directories(masks);
    stem += "_mask.png";
    write_file(masks / stem, encode_png(unite_masks(sample)));
    ++report_.n_masks;
  }

  ConvertReport finish() {
    for (const auto& [task, n] : n_left_out_) {
      report_.notes.push_back(cat(task, ": ", n,
                                  " defects that are no test images were left out; this layout "
                                  "has no place for them"));
    }
    return std::move(report_);
  }

 private:
  /// The file's stem, or with a number where that is taken: masks belong to stems.
  fs::path free_stem(const fs::path& folder, const fs::path& file) {
    auto& taken = stems_[folder];
    auto stem = file.stem();
    for (int number = 2; !taken.insert(stem).second; ++number) {
      stem = file.stem();
      stem += cat("-", number);
    }
    if (stem != file.stem()) {
      report_.notes.push_back(cat(file.string(), ": written as ", stem.string(),
                                  file.extension().string(), ", the name was taken"));
    }
    return stem;
  }

  fs::path out_;
  Transfer transfer_;
  ConvertReport report_;
  std::map<fs::path, std::set<fs::path>> stems_;
  std::map<std::string, std::int64_t> n_left_out_;
};

}  // namespace

void make_new_folder(const fs::path& out) {
  std::error_code failure;
  const bool is_taken =
      fs::exists(out, failure) && !(fs::is_directory(out, failure) && fs::is_empty(out, failure));
  CADENZA_REQUIRE(!is_taken, ErrorCode::kInvalidArgument, out.string(),
                  ": is there and not an empty folder; name another --out");
  fs::create_directories(out, failure);
  CADENZA_REQUIRE(!failure, ErrorCode::kIo, out.string(), ": cannot be made: ", failure.message());
}

void transfer_file(const fs::path& from, const fs::path& to, Transfer transfer) {
  std::error_code failure;
  if (transfer == Transfer::kLink) {
    fs::create_symlink(fs::canonical(from, failure), to, failure);
  } else {
    fs::copy_file(from, to, failure);
  }
  CADENZA_REQUIRE(!failure, ErrorCode::kIo, from.string(), ": cannot be ",
                  transfer == Transfer::kLink ? "linked" : "copied", " to ", to.string(), ": ",
                  failure.message());
}

ConvertReport write_mvtec_tree(const Dataset& dataset, const fs::path& out, Transfer transfer,
                               Progress& progress, std::stop_token stop) {
  make_new_folder(out);
  TreeWriter writer(out, transfer);
  progress.begin("images", std::ssize(dataset.samples));
  for (const auto& sample : dataset.samples) {
    CADENZA_REQUIRE(!stop.stop_requested(), ErrorCode::kCancelled, out.string(),
                    ": the conversion was stopped; remove the folder before the next try");
    writer.add(sample);
    progress.advance(1);
  }
  progress.end();
  return writer.finish();
}

}  // namespace cadenza
