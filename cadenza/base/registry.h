#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cadenza/base/error.h"
#include "cadenza/base/suggest.h"

namespace cadenza {

/// Named entries of one kind, in the order of their names. A plain value: no global instance, no
/// registration before main(). `Entry` has a member or base member `name`.
template <class Entry>
class Registry {
 public:
  /// `kind` ("method") opens error messages.
  explicit Registry(std::string kind) : kind_(std::move(kind)) {}

  /// Throws kInvalidArgument on a second entry of the same name.
  void add(Entry entry) {
    const std::string name = entry.name;
    const bool is_new = entries_.emplace(name, std::move(entry)).second;
    CADENZA_REQUIRE(is_new, ErrorCode::kInvalidArgument, kind_, " '", name,
                    "' is registered twice");
  }

  /// Throws kNotFound: names the nearest entry and lists all.
  const Entry& find(std::string_view name) const {
    const auto found = entries_.find(name);
    if (found == entries_.end()) {
      throw Error(ErrorCode::kNotFound, unknown_name_message(kind_, name, names()));
    }
    return found->second;
  }

  bool contains(std::string_view name) const { return entries_.contains(name); }

  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& [name, entry] : entries_) all.push_back(name);
    return all;
  }

 private:
  std::string kind_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace cadenza
