#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cadenza/base/options.h"
#include "cadenza/base/registry.h"
#include "cadenza/method/method.h"
#include "cadenza/network/environment.h"

namespace cadenza {

struct MethodEntry {
  std::string name;
  MethodInfo info;                  ///< of an instance with default options
  std::vector<OptionSpec> options;  ///< every option the method accepts
  std::string bibtex;
  /// Options under which it learns the fake stream in under 2 s with generated weights.
  OptionTexts tiny;
  std::function<std::unique_ptr<Method>(const Options&, const NetworkEnvironment&)> make;
};

class MethodRegistry : public Registry<MethodEntry> {
 public:
  MethodRegistry() : Registry("method") {}

  /// Errors: kNotFound (no such method), kInvalidArgument (an option).
  std::unique_ptr<Method> make(std::string_view name, const OptionTexts& given,
                               const NetworkEnvironment& environment) const;
};

/// All methods in this build, from the list that CMake writes.
MethodRegistry builtin_methods();

}  // namespace cadenza
