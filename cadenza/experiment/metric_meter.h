#pragma once

#include <memory>

#include "cadenza/experiment/parts.h"

namespace cadenza {

/// The meter of real runs: every metric of kMetricNames, computed by metric/. What is undefined is
/// absent, with the reason as a note.
///
/// Pixels   only images whose truth is known take part: normals, and defects with a mask. AUPRO is
///          taken up to a false positive rate of 0.3. Where masks name a saturation area (MVTec
///          LOCO) and sizes are their own, it is the AU-sPRO, and a note says so.
std::unique_ptr<TaskMeter> make_metric_meter(const MeterOptions& options);

}  // namespace cadenza
