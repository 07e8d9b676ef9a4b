#include "cadenza/cli/config.h"

#include <algorithm>

#include <yaml-cpp/yaml.h>

#include "cadenza/base/error.h"
#include "cadenza/cli/parse.h"

namespace cadenza {

namespace {

std::string scalar(const YAML::Node& node, const std::string& where) {
  if (!node.IsScalar()) throw UsageError(cat(where, ": expected one value"));
  return node.Scalar();
}

std::vector<std::string> values_of(const YAML::Node& node, const std::string& where) {
  std::vector<std::string> values;
  if (node.IsSequence()) {
    for (const auto& item : node) values.push_back(scalar(item, where));
  } else if (node.IsMap()) {
    for (const auto& item : node) {
      values.push_back(cat(item.first.Scalar(), "=", scalar(item.second, where)));
    }
  } else if (!node.IsNull()) {
    values.push_back(scalar(node, where));
  }
  return values;
}

}  // namespace

ConfigValues read_config(const std::filesystem::path& path) {
  ConfigValues values;
  try {
    const YAML::Node root = YAML::LoadFile(path.string());
    if (root.IsNull()) return values;
    if (!root.IsMap()) throw UsageError(cat(path.string(), ": expected lines of `option: value`"));
    for (const auto& item : root) {
      std::string name = item.first.Scalar();
      std::ranges::replace(name, '-', '_');
      values[name] = values_of(item.second, cat(path.string(), ": ", name));
    }
  } catch (const YAML::BadFile&) {
    throw UsageError(cat(path.string(), ": the configuration file cannot be read"));
  } catch (const YAML::Exception& error) {
    throw UsageError(cat(path.string(), ": line ", error.mark.line + 1, ": ", error.msg));
  }
  return values;
}

}  // namespace cadenza
