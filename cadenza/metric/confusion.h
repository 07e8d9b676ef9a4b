#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "cadenza/metric/metric.h"

namespace cadenza {

/// Counts which class was picked for items of which class: tasks and routing, classes and argmax.
class ConfusionMatrix {
 public:
  explicit ConfusionMatrix(std::int64_t n_classes);

  /// `picked` absent: rejected, no class was picked; it counts as wrong.
  /// Errors   kInvalidArgument: a class outside [0, n_classes).
  void add(std::int64_t actual, std::optional<std::int64_t> picked);

  std::int64_t n_classes() const noexcept { return n_classes_; }
  /// Errors   kInvalidArgument, here and below: a class outside [0, n_classes).
  std::int64_t count(std::int64_t actual, std::int64_t picked) const;
  std::int64_t rejected(std::int64_t actual) const;
  std::int64_t n_items() const noexcept { return n_items_; }

  Metric accuracy() const;  ///< share of items for which their own class was picked
  /// The same of one class alone. Undefined without items of it.
  Metric accuracy_of(std::int64_t actual) const;

 private:
  void require_class(std::int64_t index) const;
  std::size_t cell(std::int64_t actual, std::int64_t column) const {
    return static_cast<std::size_t>(actual * (n_classes_ + 1) + column);
  }

  std::int64_t n_classes_, n_items_ = 0;
  std::vector<std::int64_t> counts_;  ///< [n_classes, n_classes + 1], the last column: rejected
};

}  // namespace cadenza
