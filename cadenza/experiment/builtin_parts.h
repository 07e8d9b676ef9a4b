#pragma once

#include "cadenza/experiment/parts.h"

namespace cadenza {

/// The parts of the product: every method and strategy of this build, images read from their files,
/// the one path from bytes to verdict, and all metrics.
ExperimentParts builtin_parts(const NetworkEnvironment& environment);

}  // namespace cadenza
