#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "cadenza/base/progress.h"
#include "cadenza/experiment/parts.h"
#include "cadenza/experiment/settings.h"
#include "cadenza/experiment/stream_data.h"

namespace cadenza {

/// One line of predictions.jsonl a test image, and what they add up to.
struct Evaluation {
  /// {"tasks": {name: {"metrics": {...}, "normal": counts, "defect": counts}},
  ///  "pooled": {"image_AUROC": ...}, "latency_ms": {...}, "seconds": s, "notes": [...]}
  /// counts: {"images": n, "flagged": n not called normal, "defect": n called defect, "rejected":
  /// n,
  ///          "routed": {task: n}}
  /// "failures": [{"file", "error": {"code", "message"}}] of images that no metric counts.
  Json summary;
  std::string predictions;  ///< the text of predictions.jsonl
};

/// The half of a run that sees test images and only reads the method.
class Evaluator {
 public:
  /// Borrows all; they outlive the evaluator.
  Evaluator(const ExperimentSettings& settings, const ExperimentParts& parts,
            const TestImages& images)
      : settings_(settings), parts_(parts), images_(images) {}

  /// Draws one image and says what was written: see ExperimentParts::show.
  using Show = std::function<Json(const Sample&, std::span<const std::byte>, Verdict&)>;

  /// Scores every test image of `tasks`, from the bytes of its file, one at a time. `show` may be
  /// empty. An image or mask that cannot be read is left out, with a note and a line that says why.
  /// Errors   kCancelled. Those of the method.
  Evaluation evaluate(const Method& method, std::span<const TaskCalibration> calibrations,
                      std::span<const std::string> tasks, const Show& show, std::stop_token stop,
                      Progress& progress) const;

  /// Mean over `tasks` of one image metric where it is defined; for choosing epochs and comparing
  /// memories. Images that cannot be read are left out, as in evaluate().
  double mean_metric(const Method& method, std::span<const TaskCalibration> calibrations,
                     std::span<const std::string> tasks, const std::string& metric) const;

  /// One test image, with its map. Errors: as score_image(), naming the file.
  Verdict score(const Method& method, std::span<const TaskCalibration> calibrations,
                const Sample& sample) const;

 private:
  Verdict score(const Method& method, std::span<const TaskCalibration> calibrations,
                const Sample& sample, std::span<const std::byte> bytes) const;

  const ExperimentSettings& settings_;
  const ExperimentParts& parts_;
  const TestImages& images_;
};

/// True when the runner must tell the method the task: it was asked to, or the method does not
/// route.
bool tells_task(const ExperimentSettings& settings, const MethodInfo& info);

}  // namespace cadenza
