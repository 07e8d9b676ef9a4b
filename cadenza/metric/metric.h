#pragma once

#include <optional>
#include <string>
#include <utility>

namespace cadenza {

/// A measured number, or the reason why there is none ("no anomalous images"): files print null and
/// put the reason into their notes.
struct Metric {
  std::optional<double> value;
  std::string reason;  ///< empty exactly when there is a value

  static Metric of(double value) { return {value, {}}; }
  static Metric undefined(std::string reason) { return {std::nullopt, std::move(reason)}; }
};

}  // namespace cadenza
