#pragma once

#include "cadenza/inspector/manifest.h"
#include "cadenza/method/method.h"

namespace cadenza {

/// The threshold that left-out normals give for a share of false alarms: conformal where their
/// number certifies it, an estimate below, absent with fewer than five (memory/conformal.h).
///
/// `calibration` null: nothing is known of normals, no threshold.
/// Errors   kInvalidArgument: target_fpr outside (0, 0.5]. kNumeric: a score is not finite.
ThresholdRecord make_threshold(const Calibration* calibration, double target_fpr,
                               ThresholdSource source);

/// Errors   kInvalidArgument unless it is in (0, 0.5].
void require_target_fpr(double target_fpr);

}  // namespace cadenza
