// 1. Every image is decoded: its size and a digest of its pixels, or why not.
// 2. Every mask of a defect is decoded and held against its image.
// 3. Images with one digest are compared by split and label.
// 4. Rows count images and usable masks by task, split and label.
#include "cadenza/dataset/check.h"

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <tuple>
#include <utility>

#include <ATen/Parallel.h>

#include "cadenza/base/digest.h"
#include "cadenza/base/error.h"
#include "cadenza/image/decode.h"

namespace cadenza {
namespace {

/// What decoding told about one sample.
struct Looked {
  std::int64_t height_px = 0, width_px = 0;  ///< 0: cannot be read
  std::string digest;
  std::vector<Finding> findings;
  bool has_usable_masks = false;
};

std::string digest_of(const Image& image) {
  Sha256 digest;
  digest.add(cat(image.height_px, "x", image.width_px, "x", image.n_channels, ":"));
  digest.add(std::as_bytes(std::span(image.pixels)));
  return digest.hex();
}

bool marks_something(const Image& mask) {
  return std::ranges::any_of(mask.pixels, [](std::uint8_t value) { return value > 0; });
}

/// Nothing if the mask can be used.
std::optional<Finding> look_at_mask(const MaskFile& mask, const Sample& sample, const Looked& of) {
  const auto name = mask.path.string();
  try {
    const auto picture = read_image(mask.path, {.min_side_px = 1});
    const bool has_image = of.height_px > 0;
    if (has_image && (picture.height_px != of.height_px || picture.width_px != of.width_px)) {
      return Finding{FindingKind::kMaskSize,
                     {mask.path, sample.file},
                     cat(name, ": the mask is ", picture.width_px, "x", picture.height_px,
                         " pixels, its image ", sample.file.string(), " is ", of.width_px, "x",
                         of.height_px, "; they must be of one size")};
    }
    if (!marks_something(picture)) {
      return Finding{FindingKind::kEmptyMask, {mask.path}, cat(name, ": the mask marks nothing")};
    }
  } catch (const Error& error) {
    return Finding{FindingKind::kUnreadableMask, {mask.path}, error.what()};
  }
  return std::nullopt;
}

Looked look_at(const Sample& sample) {
  Looked looked;
  try {
    const auto image = read_image(sample.file);
    looked.height_px = image.height_px;
    looked.width_px = image.width_px;
    looked.digest = digest_of(image);
  } catch (const Error& error) {
    looked.findings.push_back({FindingKind::kUnreadableImage, {sample.file}, error.what()});
  }
  if (!sample.is_defect) return looked;
  for (const auto& mask : sample.masks) {
    auto finding = look_at_mask(mask, sample, looked);
    if (!finding) looked.has_usable_masks = true;
    if (finding) looked.findings.push_back(*std::move(finding));
  }
  // Of several masks one may be empty, but none may be wrong.
  looked.has_usable_masks =
      looked.has_usable_masks && std::ranges::all_of(looked.findings, [](const Finding& finding) {
        return finding.kind == FindingKind::kEmptyMask;
      });
  return looked;
}

std::string labelled(const Sample& sample) {
  return cat(sample.file.string(), " (", to_string(sample.split), ", ", sample.defect_type, ")");
}

/// Samples that show one picture: how they contradict each other, if they do.
Finding judge_copies(const std::vector<const Sample*>& copies) {
  Finding finding{FindingKind::kDuplicate, {}, {}};
  std::string others;
  for (const auto* copy : copies) {
    finding.files.push_back(copy->file);
    if (copy != copies.front()) others += cat(others.empty() ? "" : ", ", labelled(*copy));
  }
  const auto& first = *copies.front();
  const bool is_conflict = std::ranges::any_of(
      copies, [&](const Sample* copy) { return copy->is_defect != first.is_defect; });
  const bool is_split = std::ranges::any_of(copies, [&](const Sample* copy) {
    return (copy->split == Split::kTest) != (first.split == Split::kTest);
  });
  if (is_conflict) finding.kind = FindingKind::kLabelConflict;
  if (is_split) finding.kind = FindingKind::kTrainTestDuplicate;
  finding.message = cat(labelled(first), ": the same picture as ", others);
  return finding;
}

std::vector<Finding> compare(const Dataset& dataset, const std::vector<Looked>& looked) {
  std::map<std::string, std::vector<const Sample*>> by_digest;
  for (std::size_t index = 0; index < looked.size(); ++index) {
    if (!looked[index].digest.empty()) {
      by_digest[looked[index].digest].push_back(&dataset.samples[index]);
    }
  }
  std::vector<Finding> findings;
  for (const auto& [digest, copies] : by_digest) {
    if (copies.size() > 1) findings.push_back(judge_copies(copies));
  }
  std::ranges::sort(findings, {}, [](const Finding& finding) { return finding.files.front(); });
  return findings;
}

using RowKey = std::tuple<std::string, Split, std::string>;

RowKey key_of(const Sample& sample) { return {sample.task, sample.split, sample.defect_type}; }

void count_sizes(const Looked& looked, CheckRow& row) {
  if (looked.height_px == 0) return;
  const auto widen = [](std::int64_t size, std::int64_t& least, std::int64_t& most) {
    least = most == 0 ? size : std::min(least, size);
    most = std::max(most, size);
  };
  widen(looked.width_px, row.least_width_px, row.most_width_px);
  widen(looked.height_px, row.least_height_px, row.most_height_px);
}

std::string_view reason_of(FindingKind kind) {
  switch (kind) {
    case FindingKind::kUnreadableImage:
      return "image cannot be read";
    case FindingKind::kUnreadableMask:
      return "mask cannot be read";
    case FindingKind::kMaskSize:
      return "mask of another size";
    case FindingKind::kEmptyMask:
      return "mask marks nothing";
    case FindingKind::kMissingMask:
      return "without a mask";
    default:
      return to_string(kind);
  }
}

/// Rows, and the defects that lack a mask where others of their row have one.
std::vector<CheckRow> count(const Dataset& dataset, std::vector<Looked>& looked) {
  std::map<RowKey, CheckRow> rows;
  std::map<RowKey, bool> is_masked;
  for (std::size_t index = 0; index < looked.size(); ++index) {
    const auto& sample = dataset.samples[index];
    auto& row = rows[key_of(sample)];
    row.task = sample.task;
    row.split = sample.split;
    row.label = sample.defect_type;
    row.is_defect = sample.is_defect;
    ++row.n_images;
    row.n_masked += looked[index].has_usable_masks ? 1 : 0;
    count_sizes(looked[index], row);
    if (!sample.masks.empty()) is_masked[key_of(sample)] = true;
  }
  std::map<RowKey, std::map<FindingKind, int>> reasons;
  for (std::size_t index = 0; index < looked.size(); ++index) {
    const auto& sample = dataset.samples[index];
    const auto key = key_of(sample);
    if (sample.is_defect && sample.masks.empty() && is_masked.contains(key)) {
      looked[index].findings.push_back({FindingKind::kMissingMask,
                                        {sample.file},
                                        cat(sample.file.string(), ": has no mask; others of '",
                                            sample.defect_type, "' have one")});
    }
    std::map<FindingKind, bool> seen;
    for (const auto& finding : looked[index].findings) {
      if (!std::exchange(seen[finding.kind], true)) ++reasons[key][finding.kind];
    }
  }
  std::vector<CheckRow> all;
  for (auto& [key, row] : rows) {
    for (const auto& [kind, n] : reasons[key]) row.reasons.push_back(cat(n, " ", reason_of(kind)));
    if (row.is_defect && !is_masked.contains(key)) row.reasons.emplace_back("no masks are there");
    all.push_back(std::move(row));
  }
  return all;
}

}  // namespace

std::string_view to_string(FindingKind kind) noexcept {
  switch (kind) {
    case FindingKind::kUnreadableImage:
      return "unreadable-image";
    case FindingKind::kUnreadableMask:
      return "unreadable-mask";
    case FindingKind::kMaskSize:
      return "mask-size";
    case FindingKind::kTrainTestDuplicate:
      return "train-test-duplicate";
    case FindingKind::kLabelConflict:
      return "label-conflict";
    case FindingKind::kDuplicate:
      return "duplicate";
    case FindingKind::kMissingMask:
      return "missing-mask";
    case FindingKind::kEmptyMask:
      return "empty-mask";
  }
  return "unknown";
}

bool is_problem(FindingKind kind) noexcept { return kind <= FindingKind::kLabelConflict; }

std::int64_t DatasetCheck::n_problems() const {
  return std::ranges::count_if(findings,
                               [](const Finding& finding) { return is_problem(finding.kind); });
}

DatasetCheck check_dataset(const Dataset& dataset, Progress& progress, std::stop_token stop) {
  const auto n = std::ssize(dataset.samples);
  std::vector<Looked> looked(dataset.samples.size());
  progress.begin("images", n);
  at::parallel_for(0, n, 1, [&](std::int64_t first, std::int64_t last) {
    for (auto index = first; index < last && !stop.stop_requested(); ++index) {
      const auto at = static_cast<std::size_t>(index);
      looked[at] = look_at(dataset.samples[at]);
      progress.advance(1);
    }
  });
  progress.end();
  CADENZA_REQUIRE(!stop.stop_requested(), ErrorCode::kCancelled, dataset.root.string(),
                  ": the check was stopped");
  DatasetCheck check;
  check.n_images = n;
  check.rows = count(dataset, looked);
  for (auto& one : looked) {
    for (auto& finding : one.findings) check.findings.push_back(std::move(finding));
  }
  for (auto& finding : compare(dataset, looked)) check.findings.push_back(std::move(finding));
  return check;
}

std::string_view to_string(Split split) noexcept {
  switch (split) {
    case Split::kTrain:
      return "train";
    case Split::kValidation:
      return "validation";
    case Split::kTest:
      return "test";
  }
  return "unknown";
}

}  // namespace cadenza
