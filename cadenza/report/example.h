#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cadenza/inspector/verdict.h"
#include "cadenza/report/run_record.h"

namespace cadenza {

/// An image that a report shows, and the rule by which it was chosen.
struct Example {
  PredictionRecord prediction;
  std::string reason;  ///< "typical good part", "missed most clearly"
};

/// Up to four images of `task`, by rule and not by taste: the good part and the defect with the
/// median score, the good part that was wrongly called most surely, the defect that was missed by
/// most. Products without a truth: the median score, and the one that came nearest to being taken
/// for a known product.
std::vector<Example> choose_examples(std::span<const PredictionRecord> predictions,
                                     const std::string& task);

/// The anomaly map of an image, as large as the image.
struct ExampleMap {
  ScoreMap map;
  std::optional<double> map_threshold;
};
/// Asks the model of a seed again; absent: there is none for this image.
using MapSource =
    std::function<std::optional<ExampleMap>(const SeedRecord&, const PredictionRecord&)>;

/// Photograph and overlay as data URIs, no side longer than `longest_px`.
struct ExamplePictures {
  std::string photograph;
  std::string overlay;  ///< empty: no map
  std::int64_t width_px = 0, height_px = 0;
  std::int64_t original_width_px = 0, original_height_px = 0;
};
/// Errors: those of reading the file. kInvalidArgument: a map of another size.
ExamplePictures draw_example(const PredictionRecord& prediction,
                             const std::optional<ExampleMap>& map, std::int64_t longest_px = 288);

}  // namespace cadenza
