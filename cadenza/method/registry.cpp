#include "cadenza/method/registry.h"

namespace cadenza {

std::unique_ptr<Method> MethodRegistry::make(std::string_view name, const OptionTexts& given,
                                             const NetworkEnvironment& environment) const {
  const MethodEntry& entry = find(name);
  return entry.make(Options(cat("method '", name, "'"), entry.options, given), environment);
}

}  // namespace cadenza
