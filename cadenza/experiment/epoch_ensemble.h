#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cadenza/experiment/parts.h"
#include "cadenza/experiment/stream_data.h"
#include "cadenza/metric/score_history.h"

namespace cadenza {

/// What is reported by authors who join the epochs of a training: after every epoch all test images
/// of a task are scored, scores and maps are scaled to [0, 1] over the task's test images, and each
/// image's are averaged with those of earlier epochs. No single model gives these numbers.
///
/// Paper mode only: it needs the whole test set before it can judge one image.
/// Memory   a map of at most 256 px a test image, larger ones are averaged down to it.
/// Source   ucad specification 3.1.
class EpochEnsemble {
 public:
  using Score = std::function<Verdict(const Sample& sample)>;
  using MakeMeter = std::function<std::unique_ptr<TaskMeter>(const MeterOptions&)>;

  /// Borrows `images`.
  EpochEnsemble(const TestImages& images, std::vector<std::string> tasks, MakeMeter make_meter,
                std::int64_t pixel_size);

  /// Scores every test image once more. Errors: those of `score`.
  void add_epoch(const Score& score);

  /// Metrics of the mean so far, by task.
  std::map<std::string, MetricValues> measure() const;
  /// Image AUROC of the mean so far, mean over the tasks where it is defined. Errors:
  /// kInvalidArgument: for none.
  double image_auroc() const;

 private:
  struct MapSize {
    std::int64_t height_px = 0, width_px = 0;  ///< as verdicts have it; 0: no maps
    std::int64_t kept_height = 0, kept_width = 0;
  };
  struct OneTask {
    std::string name;
    ScoreHistory scores, maps;
    std::vector<MapSize> sizes;  ///< by image
  };

  MetricValues measure(const OneTask& task, bool has_pixels) const;

  const TestImages& images_;
  MakeMeter make_meter_;
  std::int64_t pixel_size_;
  std::vector<OneTask> tasks_;
};

}  // namespace cadenza
