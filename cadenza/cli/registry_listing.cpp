#include "cadenza/cli/registry_listing.h"

#include <algorithm>

#include "cadenza/base/error.h"

namespace cadenza {

Json options_json(std::span<const OptionSpec> options) {
  Json list = Json::array();
  for (const auto& option : options) {
    list.push_back({{"name", option.name},
                    {"default", option.default_value},
                    {"range", option.range()},
                    {"summary", option.summary}});
  }
  return list;
}

std::string options_text(std::span<const OptionSpec> options) {
  if (options.empty()) return "  no options\n";
  std::size_t width = 0;
  for (const auto& option : options) {
    width = std::max(width, option.name.size() + 1 + option.default_value.size());
  }
  std::string text;
  for (const auto& option : options) {
    auto setting = option.name + "=" + option.default_value;
    setting.resize(width, ' ');
    text += cat("  ", setting, "  ", option.summary, " (", option.range(), ")\n");
  }
  return text;
}

std::string names_text(std::span<const std::pair<std::string, std::string>> rows) {
  std::size_t width = 0;
  for (const auto& [name, summary] : rows) width = std::max(width, name.size());
  std::string text;
  for (const auto& [name, summary] : rows) {
    text += cat(name, std::string(width - name.size() + 2, ' '), summary, "\n");
  }
  return text;
}

}  // namespace cadenza
