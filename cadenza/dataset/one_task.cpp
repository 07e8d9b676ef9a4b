#include "cadenza/dataset/one_task.h"

#include <functional>
#include <vector>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"

namespace cadenza {
namespace {

class OneTask final : public TaskData {
 public:
  OneTask(const TaskData& data, std::size_t task) : data_(data), task_(data.tasks()[task]) {
    const auto which = data.task(0, data.size()).contiguous();
    const auto* owner = which.const_data_ptr<std::int64_t>();
    for (std::int64_t row = 0; row < data.size(); ++row) {
      if (owner[row] == static_cast<std::int64_t>(task)) rows_.push_back(row);
    }
  }

  std::span<const TaskRef> tasks() const noexcept override { return {&task_, 1}; }
  std::int64_t size() const noexcept override { return std::ssize(rows_); }
  at::Tensor images(std::int64_t first, std::int64_t last) const override {
    return gather(first, last, [&](auto from, auto to) { return data_.images(from, to); });
  }
  at::Tensor pixels(std::int64_t first, std::int64_t last) const override {
    return gather(first, last, [&](auto from, auto to) { return data_.pixels(from, to); });
  }
  at::Tensor task(std::int64_t first, std::int64_t last) const override {
    require(first, last);
    return at::zeros({last - first}, at::kLong);
  }
  std::optional<at::Tensor> defect(std::int64_t first, std::int64_t last) const override {
    if (!data_.defect(0, 0)) return std::nullopt;
    return gather(first, last, [&](auto from, auto to) { return *data_.defect(from, to); });
  }
  std::optional<at::Tensor> structure(std::int64_t first, std::int64_t last) const override {
    if (!data_.structure(0, 0)) return std::nullopt;
    return gather(first, last, [&](auto from, auto to) { return *data_.structure(from, to); });
  }
  std::string_view digest(std::int64_t index) const override {
    return data_.digest(rows_.at(static_cast<std::size_t>(index)));
  }

 private:
  void require(std::int64_t first, std::int64_t last) const {
    CADENZA_REQUIRE(0 <= first && first <= last && last <= size(), ErrorCode::kInvalidArgument,
                    "rows [", first, ", ", last, ") of '", task_.name, "': it has ", size());
  }

  /// Neighbours are asked for together.
  at::Tensor gather(std::int64_t first, std::int64_t last,
                    const std::function<at::Tensor(std::int64_t, std::int64_t)>& part) const {
    require(first, last);
    if (first == last) return part(0, 0);
    std::vector<at::Tensor> parts;
    for (auto at = static_cast<std::size_t>(first); at < static_cast<std::size_t>(last);) {
      const auto begin = at;
      while (++at < static_cast<std::size_t>(last) && rows_[at] == rows_[at - 1] + 1) {
      }
      parts.push_back(part(rows_[begin], rows_[at - 1] + 1));
    }
    return parts.size() == 1 ? parts.front() : at::cat(parts);
  }

  const TaskData& data_;
  TaskRef task_;
  std::vector<std::int64_t> rows_;
};

}  // namespace

std::unique_ptr<TaskData> one_task(const TaskData& data, std::size_t task) {
  CADENZA_REQUIRE(task < data.tasks().size(), ErrorCode::kInvalidArgument, "task ", task,
                  " of a step of ", data.tasks().size());
  return std::make_unique<OneTask>(data, task);
}

}  // namespace cadenza
