#include "cadenza/metric/confusion.h"

#include "cadenza/base/error.h"

namespace cadenza {
namespace {

double share(std::int64_t count, std::int64_t n) {
  return static_cast<double>(count) / static_cast<double>(n);
}

}  // namespace

ConfusionMatrix::ConfusionMatrix(std::int64_t n_classes) : n_classes_(n_classes) {
  CADENZA_REQUIRE(n_classes >= 0, ErrorCode::kInvalidArgument,
                  "confusion matrix: expected 0 classes or more, found ", n_classes);
  counts_.assign(static_cast<std::size_t>(n_classes * (n_classes + 1)), 0);
}

void ConfusionMatrix::require_class(std::int64_t index) const {
  CADENZA_REQUIRE(0 <= index && index < n_classes_, ErrorCode::kInvalidArgument,
                  "confusion matrix: expected a class of 0 to ", n_classes_ - 1, ", found ", index);
}

void ConfusionMatrix::add(std::int64_t actual, std::optional<std::int64_t> picked) {
  require_class(actual);
  if (picked) require_class(*picked);
  ++counts_[cell(actual, picked.value_or(n_classes_))];
  ++n_items_;
}

std::int64_t ConfusionMatrix::count(std::int64_t actual, std::int64_t picked) const {
  require_class(actual);
  require_class(picked);
  return counts_[cell(actual, picked)];
}

std::int64_t ConfusionMatrix::rejected(std::int64_t actual) const {
  require_class(actual);
  return counts_[cell(actual, n_classes_)];
}

Metric ConfusionMatrix::accuracy() const {
  if (n_items_ == 0) return Metric::undefined("no items");
  std::int64_t right = 0;
  for (std::int64_t label = 0; label < n_classes_; ++label) right += count(label, label);
  return Metric::of(share(right, n_items_));
}

Metric ConfusionMatrix::accuracy_of(std::int64_t actual) const {
  std::int64_t n = rejected(actual);
  for (std::int64_t picked = 0; picked < n_classes_; ++picked) n += count(actual, picked);
  if (n == 0) return Metric::undefined("no items of the class");
  return Metric::of(share(count(actual, actual), n));
}

}  // namespace cadenza
