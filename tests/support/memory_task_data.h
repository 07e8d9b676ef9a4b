#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

#include "cadenza/base/digest.h"
#include "cadenza/dataset/task_data.h"

namespace cadenza {

/// TaskData over pixels that a test holds: [n,H,W,3] uint8 of one or several tasks. images() are
/// pixels / 255.
class MemoryTaskData : public TaskData {
 public:
  MemoryTaskData(TaskRef task, const at::Tensor& pixels)
      : MemoryTaskData({std::move(task)}, pixels, at::zeros({pixels.size(0)}, at::kLong)) {}
  MemoryTaskData(std::vector<TaskRef> tasks, at::Tensor pixels, at::Tensor task)
      : tasks_(std::move(tasks)), pixels_(std::move(pixels)), task_(std::move(task)) {
    for (std::int64_t row = 0; row < size(); ++row) {
      const auto bytes = pixels_[row].contiguous();
      digests_.push_back(sha256_hex(std::as_bytes(std::span(
          bytes.const_data_ptr<std::uint8_t>(), static_cast<std::size_t>(bytes.numel())))));
    }
  }

  std::span<const TaskRef> tasks() const noexcept override { return tasks_; }
  std::int64_t size() const noexcept override { return pixels_.size(0); }
  at::Tensor images(std::int64_t first, std::int64_t last) const override {
    return pixels(first, last).permute({0, 3, 1, 2}).to(at::kFloat).div(255).contiguous();
  }
  at::Tensor pixels(std::int64_t first, std::int64_t last) const override {
    return pixels_.slice(0, first, last);
  }
  at::Tensor task(std::int64_t first, std::int64_t last) const override {
    return task_.slice(0, first, last);
  }
  std::string_view digest(std::int64_t index) const override {
    return digests_[static_cast<std::size_t>(index)];
  }

 private:
  std::vector<TaskRef> tasks_;
  at::Tensor pixels_, task_;
  std::vector<std::string> digests_;
};

}  // namespace cadenza
