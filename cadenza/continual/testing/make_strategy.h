#pragma once

#include <memory>
#include <string>

#include "cadenza/continual/strategy.h"

namespace cadenza {

/// One strategy of this build with the given options and seed 0.
inline std::unique_ptr<ContinualStrategy> make_strategy(const std::string& name,
                                                        const OptionTexts& given) {
  const auto all = builtin_strategies();
  const auto& entry = all.find(name);
  return entry.make(Options("strategy '" + name + "'", entry.options, given), 0);
}

}  // namespace cadenza
