#pragma once

#include <span>
#include <string>

#include "cadenza/base/json.h"
#include "cadenza/base/options.h"

namespace cadenza {

/// [{"name", "default", "range", "summary"}], as `methods --json` and its like print it.
Json options_json(std::span<const OptionSpec> options);

/// The same for people, indented; a line says so where there are none.
std::string options_text(std::span<const OptionSpec> options);

/// "  name      summary" lines, the names padded to one width.
std::string names_text(std::span<const std::pair<std::string, std::string>> rows);

}  // namespace cadenza
