#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cadenza/base/json.h"
#include "cadenza/base/options.h"

namespace cadenza {

/// kHonest: training has a fixed length and sees no test image. kPaper: as the authors did, the
/// epoch is chosen on the test images of the step; marked as test-selected wherever it is printed.
enum class RunMode { kHonest, kPaper };

/// One benchmark run: everything that its numbers depend on besides data, code and machine.
struct ExperimentSettings {
  std::string method;
  OptionTexts options;
  std::string strategy;  ///< empty: none
  OptionTexts strategy_options;
  std::string protocol = "1xN";
  std::vector<std::string> order;  ///< empty: the protocol's own (parse_order() reads --order)
  std::vector<std::uint64_t> seeds = {0};
  RunMode mode = RunMode::kHonest;
  bool known_task = false;  ///< tell the task at test: an oracle, and marked as one
  bool zero_shot = false;   ///< after each step, test the tasks that are still to come too
  /// Keep every fifth normal back for the threshold where the method does not calibrate itself
  /// (inspector/hold_back.h).
  bool hold_back = false;
  double target_fpr = 0.05;     ///< share of good parts that may be called defect, (0, 0.5]
  std::int64_t pixel_size = 0;  ///< 0: pixel metrics at each mask's own size
  std::int64_t shots = 0;       ///< normals a task, drawn by the seed; 0: all
};

/// What config.resolved.json holds.
Json to_json(const ExperimentSettings& settings);

/// "honest", "paper".
std::string_view to_string(RunMode mode) noexcept;

}  // namespace cadenza
