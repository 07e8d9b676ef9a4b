#pragma once

#include <string>
#include <vector>

#include "cadenza/base/json.h"
#include "cadenza/base/options.h"
#include "cadenza/cli/run.h"
#include "cadenza/inspector/manifest.h"
#include "cadenza/network/environment.h"

namespace cadenza {

/// What --device, --threads and --weights say.
NetworkEnvironment environment_of(const CommandContext& context);

/// `--set key=value` as options. Errors   kInvalidArgument: no '=', or a key that stands there
/// twice.
OptionTexts parse_settings(const std::vector<std::string>& settings);

/// A task as `task list --json` and others print it.
Json to_json(const TaskRecord& task);

/// "9.87 (left-out, 5 % false alarms, certified)" or why there is none.
std::string threshold_text(const ThresholdRecord& threshold);

/// A short number for people.
std::string number_text(double value);

}  // namespace cadenza
