#pragma once

#include "cadenza/cli/run.h"
#include "cadenza/dataset/sample.h"

namespace cadenza {

// The commands of `cadenza data`; each returns its exit status.
int run_data_check(const CommandContext& context);
int run_data_convert(const CommandContext& context);
int run_data_lists(const CommandContext& context);
int run_data_fewshot(const CommandContext& context);
int run_data_masks(const CommandContext& context);

/// The data set of a command that takes one; what its reader ignored goes to the warnings.
Dataset asked_dataset(const CommandContext& context);

}  // namespace cadenza
