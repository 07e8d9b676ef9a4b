#pragma once

#include "cadenza/base/progress.h"
#include "cadenza/network/environment.h"
#include "cadenza/report/example.h"

namespace cadenza {

/// Maps for a report's examples from the models of a run, seed-K/model: each is opened once, when
/// its first map is asked for. A model that cannot be opened (no weights here, another engine) is a
/// warning, and the report shows boxes instead. `progress` outlives the result.
MapSource example_maps(const NetworkEnvironment& environment, Progress& progress);

}  // namespace cadenza
