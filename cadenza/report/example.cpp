#include "cadenza/report/example.h"

#include <algorithm>

#include "cadenza/base/error.h"
#include "cadenza/image/decode.h"
#include "cadenza/image/encode.h"
#include "cadenza/image/resize.h"
#include "cadenza/report/html_text.h"
#include "cadenza/report/overlay.h"

namespace cadenza {
namespace {

constexpr int kJpegQuality = 86;

using Pointers = std::vector<const PredictionRecord*>;

/// How far beyond its threshold an image is: what "surely" means across thresholds.
double excess(const PredictionRecord& record) {
  return record.score.value_or(0) - record.threshold.value_or(0);
}

Pointers sorted_by_score(std::span<const PredictionRecord> predictions, const std::string& task,
                         std::optional<bool> is_defect) {
  Pointers found;
  for (const auto& record : predictions) {
    if (record.true_task == task && record.is_defect == is_defect && record.score) {
      found.push_back(&record);
    }
  }
  std::ranges::stable_sort(found, {}, [](const PredictionRecord* one) { return *one->score; });
  return found;
}

void add(std::vector<Example>& examples, const PredictionRecord* record, std::string reason) {
  if (record == nullptr) return;
  const bool is_there = std::ranges::any_of(
      examples, [&](const Example& other) { return other.prediction.file == record->file; });
  if (!is_there) examples.push_back({*record, std::move(reason)});
}

const PredictionRecord* middle(const Pointers& sorted) {
  return sorted.empty() ? nullptr : sorted[sorted.size() / 2];
}

/// The first by `rank` of those that `is_wanted`.
template <class IsWanted, class Rank>
const PredictionRecord* extreme(const Pointers& records, IsWanted is_wanted, Rank rank) {
  const PredictionRecord* found = nullptr;
  for (const auto* record : records) {
    if (is_wanted(*record) && (found == nullptr || rank(*record) < rank(*found))) found = record;
  }
  return found;
}

}  // namespace

std::vector<Example> choose_examples(std::span<const PredictionRecord> predictions,
                                     const std::string& task) {
  const auto good = sorted_by_score(predictions, task, false);
  const auto defect = sorted_by_score(predictions, task, true);
  const auto unknown = sorted_by_score(predictions, task, std::nullopt);
  const auto is_normal = [](const PredictionRecord& one) { return one.label == "normal"; };
  const auto is_flagged = [](const PredictionRecord& one) { return one.label != "normal"; };
  std::vector<Example> examples;
  add(examples, middle(good), "typical good part");
  add(examples, middle(defect), "typical defect");
  add(examples, extreme(defect, is_normal, [](const auto& one) { return excess(one); }),
      "missed by most");
  add(examples, extreme(good, is_flagged, [](const auto& one) { return -excess(one); }),
      "worst false alarm");
  add(examples, middle(unknown), "typical");
  add(examples,
      extreme(
          unknown, [](const auto& one) { return one.task_distance.has_value(); },
          [](const auto& one) { return *one.task_distance; }),
      "nearest to a known product");
  return examples;
}

ExamplePictures draw_example(const PredictionRecord& prediction,
                             const std::optional<ExampleMap>& map, std::int64_t longest_px) {
  auto picture = read_image(prediction.file);
  const auto height = picture.height_px, width = picture.width_px;
  const auto longest = std::max(height, width);
  if (longest > longest_px) {
    picture = resize_pillow(picture, std::max<std::int64_t>(1, height * longest_px / longest),
                            std::max<std::int64_t>(1, width * longest_px / longest),
                            PillowFilter::kBilinear);
  }
  ExamplePictures drawn{.width_px = picture.width_px,
                        .height_px = picture.height_px,
                        .original_width_px = width,
                        .original_height_px = height};
  drawn.photograph = data_uri("image/jpeg", encode_jpeg(picture, kJpegQuality));
  if (!map || map->map.empty() || !map->map_threshold) return drawn;
  CADENZA_REQUIRE(map->map.height_px == height && map->map.width_px == width,
                  ErrorCode::kInvalidArgument, prediction.file.string(), ": expected a map of ",
                  height, " x ", width, " pixels, found ", map->map.height_px, " x ",
                  map->map.width_px);
  const auto plane =
      resize_area({height, width, map->map.values}, picture.height_px, picture.width_px);
  const auto overlay = draw_overlay(
      picture, plane.values, OverlayScale::around(*map->map_threshold), {.has_legend = false});
  drawn.overlay = data_uri("image/jpeg", encode_jpeg(overlay, kJpegQuality));
  return drawn;
}

}  // namespace cadenza
