#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/toy_methods.h"

#include "cadenza/method/registry.h"

namespace cadenza {

/// Every method of this build and the two of tests/support, so that the laws always have something
/// to hold for.
inline const MethodRegistry& subjects() {
  static const MethodRegistry all = [] {
    auto registry = builtin_methods();
    const auto toys = toy_methods();
    for (const auto& name : toys.names()) registry.add(toys.find(name));
    return registry;
  }();
  return all;
}

/// With the options under which it learns the fake stream in seconds.
inline std::unique_ptr<Method> make_tiny(const std::string& name) {
  return subjects().make(name, subjects().find(name).tiny, {});
}

}  // namespace cadenza
