#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cadenza/cli/run.h"
#include "cadenza/dataset/sample.h"

namespace cadenza {

/// "a,b,c" as a list. Errors   kInvalidArgument naming the option: an empty item.
std::vector<std::string> split_list(std::string_view option, std::string_view text);

/// What --data, --layout and --tasks name; several data sets are joined. What the readers left out
/// is told as warnings.
/// Errors   kNotFound: a root, a layout, a task that the data lack. Those of the readers.
Dataset read_labelled_data(const CommandContext& context);

}  // namespace cadenza
