#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "cadenza/metric/overlap_curve.h"
#include "cadenza/metric/score_curve.h"

namespace cadenza {

/// Which pixels of a mask count as anomalous in AUROC, average precision and F1-max. Regions are
/// made of mask > 0 either way.
enum class MaskTruth {
  kAboveZero,
  kFull,  ///< 255 alone: soft borders count as normal, as UCAD's released program has it
};

struct PixelMeterOptions {
  MaskTruth truth = MaskTruth::kAboveZero;
  /// Up to so many pixels every score is kept (4 bytes each, 12 while curves() runs) and results
  /// are exact; beyond, scores are counted in 2^16 bins over their range, in 2 MB whatever comes.
  /// 0 counts from the start.
  std::int64_t exact_up_to_pixels = std::int64_t{1} << 25;
};

/// One defect of an image, with the area that is enough to have found it.
struct DefectChannel {
  std::span<const std::uint8_t> mask;  ///< [height, width], defect where > 0
  double saturation = 1.0;
  bool is_relative = true;  ///< of the defect's own area; else in pixels
};

/// What pixel metrics are read from.
struct PixelCurves {
  ScoreCurve pixels;     ///< AUROC, average precision, F1-max over all pixels of all images
  OverlapCurve regions;  ///< AUPRO or AU-sPRO
  bool is_exact = true;  ///< false: from the histogram
};

/// Gathers anomaly maps and the truth about them, image after image.
///
/// Life     make, add() every image, curves() at any time. Images may differ in size.
/// Threads  one at a time; const calls at once.
/// Cost     150 images of 300x300 (13.5 million pixels): 0.1 s to add, 0.2 s for curves().
class PixelMeter {
 public:
  explicit PixelMeter(const PixelMeterOptions& options = {});
  ~PixelMeter();
  PixelMeter(PixelMeter&&) noexcept;
  PixelMeter& operator=(PixelMeter&&) noexcept;

  /// Regions are the 8-connected components of mask > 0. A normal image brings a mask of zeros.
  ///
  /// Shapes   map, mask [height_px, width_px], row by row.
  /// Errors   kInvalidArgument: sizes that do not fit. kNumeric: a map value that is not finite.
  void add(std::span<const float> map, std::span<const std::uint8_t> mask, std::int64_t height_px,
           std::int64_t width_px);

  /// Regions are the channels as they are, and each counts as found in full from its saturation
  /// area on. None for a normal image; a channel without defect pixels is left out.
  ///
  /// Errors   as add(); kInvalidArgument also for a saturation that is not above 0.
  /// Source   MVTec LOCO AD's evaluation (specs/dne_cl.md 3.4).
  /// Differs  a relative saturation that rounds down to no pixel is one pixel (there: 0 / 0).
  void add_channels(std::span<const float> map, std::span<const DefectChannel> channels);

  std::int64_t n_pixels() const noexcept;

  /// Cost     O(pixels): two radix sorts, one of the pixels outside, one of those in regions.
  PixelCurves curves() const;

 private:
  struct Store;
  std::unique_ptr<Store> store_;
};

}  // namespace cadenza
