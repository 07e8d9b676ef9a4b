#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <ATen/core/Tensor.h>

#include "cadenza/tensor/state.h"

namespace cadenza {

struct TaskRef {
  TaskId id = 0;
  std::string name;
};

/// The training images of one step and nothing of any test set: a method cannot pick its best epoch
/// on data it never sees. Calls may come from several threads. Ranges [first, last) outside
/// [0, size()] are kInvalidArgument.
class TaskData {
 public:
  virtual ~TaskData() = default;
  /// One task for 1xN, fourteen in the base step of 14-1.
  virtual std::span<const TaskRef> tasks() const noexcept = 0;
  virtual std::int64_t size() const noexcept = 0;
  /// [n,3,H,W] float32, preprocessed as the method's InputSpec says.
  virtual at::Tensor images(std::int64_t first, std::int64_t last) const = 0;
  /// [n,H,W,3] uint8, resized but not normalised: for augmentation and replay.
  virtual at::Tensor pixels(std::int64_t first, std::int64_t last) const = 0;
  /// [n] int64, index into tasks().
  virtual at::Tensor task(std::int64_t first, std::int64_t last) const = 0;
  /// [n] int64, 1 = defect; absent unless labelled auxiliary data were asked for.
  virtual std::optional<at::Tensor> defect(std::int64_t first, std::int64_t last) const {
    (void)first, (void)last;
    return std::nullopt;
  }
  /// [n,H,W] int32 region ids, 0 = in no region; present when InputSpec::needs_structure.
  virtual std::optional<at::Tensor> structure(std::int64_t first, std::int64_t last) const {
    (void)first, (void)last;
    return std::nullopt;
  }
  /// SHA-256 of the image file's bytes: provenance, caches, duplicates.
  virtual std::string_view digest(std::int64_t index) const = 0;
};

}  // namespace cadenza
