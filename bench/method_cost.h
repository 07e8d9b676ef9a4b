#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/memory_task_data.h"
#include <ATen/ATen.h>

#include "cadenza/base/json.h"
#include "cadenza/base/progress.h"
#include "cadenza/method/registry.h"

namespace cadenza {

/// By the clock, and of all processors together: the second says what a busy machine hides.
struct Spent {
  double wall_ms = 0, cpu_ms = 0;
};

struct Moment {
  std::chrono::steady_clock::time_point wall = std::chrono::steady_clock::now();
  std::clock_t cpu = std::clock();
};

inline Spent between(const Moment& first, const Moment& last) {
  return {std::chrono::duration<double, std::milli>(last.wall - first.wall).count(),
          1e3 * static_cast<double>(last.cpu - first.cpu) / CLOCKS_PER_SEC};
}

/// Noise in nine regions, of one task.
class NoisePictures final : public MemoryTaskData {
 public:
  NoisePictures(std::int64_t n_images, std::int64_t side_px)
      : MemoryTaskData({.id = 0, .name = "noise"},
                       at::randint(256, {n_images, side_px, side_px, 3}, at::kByte)) {}
  at::Tensor images(std::int64_t first, std::int64_t last) const override {
    return MemoryTaskData::images(first, last).mul(2).sub(1);
  }
  std::optional<at::Tensor> structure(std::int64_t first, std::int64_t last) const override {
    const auto side = pixels(0, 1).size(1);
    const auto part = at::arange(side).mul(3).floor_divide(side);
    const auto map = (1 + part.unsqueeze(1) * 3 + part).to(at::kInt);
    return map.unsqueeze(0).repeat({last - first, 1, 1});
  }
};

/// Times the batches of a training loop, of `batch_size` images each; the first is a warm-up.
class TrainingClock final : public Progress {
 public:
  explicit TrainingClock(std::int64_t batch_size) : batch_size_(batch_size) {}
  void begin(std::string_view phase, std::int64_t) override {
    is_training_ = phase.ends_with(": training");
  }
  void advance(std::int64_t) override {
    if (!is_training_) return;
    const Moment now;
    if (n_batches_++ > 0) {
      const auto spent = between(last_, now);
      const auto n_images = static_cast<double>(batch_size_);
      images.push_back({spent.wall_ms / n_images, spent.cpu_ms / n_images});
    }
    last_ = now;
  }
  void end() override { is_training_ = false; }

  std::vector<Spent> images;  ///< one, by batch

 private:
  std::int64_t batch_size_;
  bool is_training_ = false;
  std::int64_t n_batches_ = 0;
  Moment last_;
};

/// NAME_ms and NAME_cpu_ms: medians.
inline void tell(Json& told, const std::string& name, std::vector<Spent> all) {
  if (all.empty()) return;
  const auto middle = [&](double Spent::* part) {
    std::ranges::sort(all, {}, part);
    return all[all.size() / 2].*part;
  };
  told[name + "_ms"] = middle(&Spent::wall_ms);
  told[name + "_cpu_ms"] = middle(&Spent::cpu_ms);
}

/// A method that knows 15 tasks, each a little other than the one that `teacher` learned.
inline std::unique_ptr<Method> of_fifteen_tasks(const std::string& method,
                                                const OptionTexts& options, const Method& teacher) {
  auto state = teacher.save();
  for (TaskId task = 1; task < 15; ++task) {
    state.tasks[task] = state.tasks.at(0);
    for (auto& [name, tensor] : state.tasks[task].tensors) {
      if (tensor.dim() > 1) tensor = tensor + 0.01 * at::randn_like(tensor);
    }
  }
  auto learned = builtin_methods().make(method, options, {});
  learned->load(state);
  return learned;
}

/// Milliseconds of one picture judged alone, after three warm-ups.
inline std::vector<Spent> time_predictions(const Method& method, const at::Tensor& image) {
  std::vector<Spent> all;
  for (int round = 0; round < 13; ++round) {
    const Moment start;
    method.score(image, {});
    if (round >= 3) all.push_back(between(start, {}));
  }
  return all;
}

inline std::int64_t state_bytes(const Method& method) {
  const auto state = method.save();
  std::int64_t sum = 0;
  for (const auto& [name, tensor] : state.tasks.at(0).tensors) {
    sum += static_cast<std::int64_t>(tensor.nbytes());
  }
  return sum;
}

}  // namespace cadenza
