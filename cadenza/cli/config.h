#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace cadenza {

/// Values of a configuration file, by option name (dashes become underscores). A list gives several
/// values, a map gives "key=value" ones (set: {epochs: 25}).
using ConfigValues = std::map<std::string, std::vector<std::string>>;

/// Reads YAML, of which JSON is a part.
/// Errors   UsageError naming the file and the line.
ConfigValues read_config(const std::filesystem::path& path);

}  // namespace cadenza
