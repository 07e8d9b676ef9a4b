#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "cadenza/structure/mask/binary_mask.h"

namespace cadenza {

/// One axis of a mask network's logits on their way to the picture: bilinear from `low` cells to
/// the `padded` pixels that the network saw, of which the first `used` are the picture, and from
/// those bilinear to `out` pixels; half-pixel centres, edges clamped, no antialiasing.
struct ResampleAxis {
  std::int64_t low, padded, used, out;
};

struct LogitCut {
  double threshold = 0;  ///< a pixel is inside above it
  double offset = 1;     ///< of the two cuts that tell stability
};

struct CutMask {
  BinaryMask mask;
  /// Pixels above threshold + offset over pixels above threshold - offset; 0 where there are none.
  double stability = 0;
};

/// Enlarges the logits of many masks and cuts them, without ever holding a picture of logits.
///
/// Both resizes are linear, so that each output pixel is a weighted sum of at most three cells a
/// side: those weights are made once.
///
/// Differs  in the rounding of the last bits from resizing twice.
/// Cost     one mask of 256 x 256 to 224 x 224: 0.1 ms, one thread.
class LogitResampler {
 public:
  /// Errors   kInvalidArgument: a size below 1, used > padded, padded < low.
  LogitResampler(const ResampleAxis& rows, const ResampleAxis& columns);

  /// Shapes   logits [rows.low, columns.low].
  CutMask cut(std::span<const float> logits, const LogitCut& how) const;

  /// The enlarged logits, [rows.out, columns.out].
  std::vector<float> enlarge(std::span<const float> logits) const;

 private:
  struct Taps {
    std::int64_t first = 0;
    std::array<float, 3> weight{};
  };
  static std::vector<Taps> make_taps(const ResampleAxis& axis);

  template <class Row>
  void for_each_row(std::span<const float> logits, Row&& row) const;

  std::int64_t n_low_columns_;
  std::int64_t n_low_rows_;
  std::vector<Taps> rows_, columns_;
};

}  // namespace cadenza
