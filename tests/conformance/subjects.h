#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/toy_methods.h"

#include "cadenza/method/registry.h"

namespace cadenza {

/// A method that other options make another one: its tasks share what they did not, or the like.
struct Variant {
  std::string name, method;
  OptionTexts options;  ///< over the method's tiny ones
};
inline const std::vector<Variant>& variants() {
  static const std::vector<Variant> all = {
      {"dne_frozen_knn", "dne", {{"trainable", "none"}, {"scorer", "knn_memory"}}},
      {"dne_gauss_per_task", "dne", {{"scorer", "gauss_per_task"}}},
      {"dne_head", "dne", {{"scorer", "head"}, {"fix_head", "momentum_leak"}}},
      {"ucad_shared", "ucad", {{"shared_prompt", "true"}}},
      {"ucad_untrained", "ucad", {{"epochs", "0"}}},
      {"dual_prompt_shared", "dual_prompt", {{"shared_prompt", "true"}}},
      {"dual_prompt_untrained", "dual_prompt", {{"epochs", "0"}}},
      {"dual_prompt_convnext",
       "dual_prompt",
       {{"network", "convnext_test"}, {"sites", "s2b1-2"}, {"analysis_site", "s2b2"}}},
  };
  return all;
}

/// Every method of this build, its variants and the two of tests/support, so that the laws always
/// have something to hold for.
inline const MethodRegistry& subjects() {
  static const MethodRegistry all = [] {
    auto registry = builtin_methods();
    const auto toys = toy_methods();
    for (const auto& name : toys.names()) registry.add(toys.find(name));
    for (const auto& variant : variants()) {
      auto entry = registry.find(variant.method);
      entry.name = variant.name;
      for (const auto& [option, value] : variant.options) entry.tiny[option] = value;
      registry.add(std::move(entry));
    }
    return registry;
  }();
  return all;
}

/// With the options under which it learns the fake stream in seconds.
inline std::unique_ptr<Method> make_tiny(const std::string& name) {
  return subjects().make(name, subjects().find(name).tiny, {});
}

}  // namespace cadenza
