#pragma once

#include <string>
#include <vector>

#include "cadenza/cli/invocation.h"
#include "cadenza/dataset/sample.h"
#include "cadenza/experiment/parts.h"
#include "cadenza/experiment/settings.h"
#include "cadenza/experiment/strategy_sweep.h"

namespace cadenza {

/// What the command line says of a run. With one strategy its options lose their prefix; with
/// several they keep it, as strategy_entries() takes them.
/// Errors   kInvalidArgument naming the option: a seed that is no number, settings that stand twice
///          or belong to a strategy that does not run.
ExperimentSettings read_settings(const Invocation& given, const Dataset& dataset,
                                 const StrategyRegistry& strategies);

/// The strategies that --strategy compares: several names, or all ("all"). None: a single run.
std::vector<std::string> compared_strategies(const Invocation& given,
                                             const StrategyRegistry& strategies);

/// The values of all options that decide a result, as --config reads them.
std::string resolved_config(const Invocation& given);

}  // namespace cadenza
