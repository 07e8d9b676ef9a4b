#pragma once

#include "cadenza/cli/run.h"
#include "cadenza/report/example.h"

namespace cadenza {

/// Maps for a report's examples from the models of a run, seed-K/model: each is opened once, when
/// its first map is asked for. A model that cannot be opened (no weights here, another engine) is a
/// warning, and the report shows boxes instead. `context` outlives the result.
MapSource example_maps(const CommandContext& context);

}  // namespace cadenza
