#pragma once

#include <span>
#include <vector>

namespace cadenza {

/// The mean of several readings of the same items, each reading scaled to [0, 1] by its own least
/// and largest score first: how UCAD and its descendants join the epochs of a training. Uses the
/// whole test set: paper mode only.
///
/// Float32 throughout, summed in the order of the readings; no reading is kept.
/// Differs  a reading whose scores are all equal counts as zeros, where the authors divide by zero.
/// Source   ucad specification 3.1.
class ScoreHistory {
 public:
  /// Errors   kInvalidArgument: another number of scores than before. kNumeric: not finite.
  void add(std::span<const float> scores);

  std::vector<float> mean() const;
  int n_readings() const noexcept { return n_readings_; }

 private:
  std::vector<float> sum_;
  int n_readings_ = 0;
};

}  // namespace cadenza
