#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cadenza/base/options.h"

namespace cadenza {

/// A parsed and checked command line: what the program hands to the library.
struct Invocation {
  std::string command;  ///< "task list"
  Options options;      ///< everything with one value that was given or has a default
  std::map<std::string, std::vector<std::string>, std::less<>> lists;  ///< repeated arguments

  bool has(std::string_view name) const { return options.texts().contains(std::string(name)); }
  const std::string& text(std::string_view name) const { return options.text(name); }
  /// The text, or `otherwise` if it was not given.
  std::string text_or(std::string_view name, std::string otherwise) const {
    return has(name) ? text(name) : otherwise;
  }
  std::int64_t integer(std::string_view name) const { return options.integer(name); }
  double real(std::string_view name) const { return options.real(name); }
  bool flag(std::string_view name) const { return options.flag(name); }
  /// The values of a repeated argument; none if it was not given.
  std::vector<std::string> list(std::string_view name) const {
    const auto found = lists.find(name);
    return found == lists.end() ? std::vector<std::string>{} : found->second;
  }
};

}  // namespace cadenza
