#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/memory_task_data.h"
#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/base/rng.h"
#include "cadenza/dataset/input_spec.h"

namespace cadenza {

/// Pictures of three made-up products, each with stripes of its own colour and direction; a defect
/// is a block of noise. Small enough for methods with generated weights.
class FakeStream {
 public:
  static constexpr std::int64_t kTasks = 3, kTrain = 16, kNormal = 10, kDefect = 10;

  explicit FakeStream(InputSpec input) : input_(std::move(input)) {}

  static TaskRef task(std::int64_t index) {
    return {.id = index, .name = cat("product_", static_cast<char>('a' + index))};
  }

  std::unique_ptr<TaskData> training(std::int64_t index) const {
    return training(std::vector<std::int64_t>{index});
  }
  std::unique_ptr<TaskData> training(const std::vector<std::int64_t>& indices) const {
    std::vector<TaskRef> tasks;
    std::vector<at::Tensor> pixels, which;
    for (const auto index : indices) {
      pixels.push_back(pictures(index, "train", kTrain, false));
      which.push_back(at::full({kTrain}, std::ssize(tasks), at::kLong));
      tasks.push_back(task(index));
    }
    return std::make_unique<Data>(input_, std::move(tasks), at::cat(pixels), at::cat(which));
  }

  /// Test images [n,3,H,W] of one product, prepared.
  at::Tensor normals(std::int64_t index) const {
    return prepared(input_, pictures(index, "normal", kNormal, false));
  }
  at::Tensor defects(std::int64_t index) const {
    return prepared(input_, pictures(index, "defect", kDefect, true));
  }

 private:
  class Data final : public MemoryTaskData {
   public:
    Data(InputSpec input, std::vector<TaskRef> tasks, at::Tensor pixels, at::Tensor task)
        : MemoryTaskData(std::move(tasks), std::move(pixels), std::move(task)),
          input_(std::move(input)) {}
    at::Tensor images(std::int64_t first, std::int64_t last) const override {
      return prepared(input_, pixels(first, last));
    }
    std::optional<at::Tensor> structure(std::int64_t first, std::int64_t last) const override {
      if (!input_.needs_structure) return std::nullopt;
      const auto half = [](std::int64_t n) { return at::arange(n).mul(2).floor_divide(n); };
      const auto map = 1 + half(input_.height_px).unsqueeze(1) * 2 + half(input_.width_px);
      return map.to(at::kInt).unsqueeze(0).repeat({last - first, 1, 1});
    }

   private:
    InputSpec input_;
  };

  static at::Tensor prepared(const InputSpec& input, const at::Tensor& pixels) {
    const auto images = pixels.permute({0, 3, 1, 2}).to(at::kFloat).div(255);
    const auto row = [](const std::array<float, 3>& values) {
      return at::tensor({values[0], values[1], values[2]}).view({1, 3, 1, 1});
    };
    return ((images - row(input.mean)) / row(input.stddev)).contiguous();
  }

  at::Tensor pictures(std::int64_t index, std::string_view split, std::int64_t n,
                      bool has_defect) const {
    Rng rng(7, cat(task(index).name, " ", split));
    auto pixels = at::empty({n, input_.height_px, input_.width_px, 3}, at::kByte);
    auto* value = pixels.mutable_data_ptr<std::uint8_t>();
    for (std::int64_t image = 0; image < n; ++image) {
      const double phase = rng.uniform(0, 0.5);
      const auto size_y = std::max<std::int64_t>(input_.height_px / 4, 1);
      const auto size_x = std::max<std::int64_t>(input_.width_px / 4, 1);
      const auto top = static_cast<std::int64_t>(rng.below(input_.height_px - size_y));
      const auto left = static_cast<std::int64_t>(rng.below(input_.width_px - size_x));
      for (std::int64_t y = 0; y < input_.height_px; ++y) {
        for (std::int64_t x = 0; x < input_.width_px; ++x) {
          const bool is_inside =
              has_defect && y >= top && y < top + size_y && x >= left && x < left + size_x;
          const auto along = static_cast<double>(index == 0 ? x : index == 1 ? y : x + y);
          const double stripe = 25 * std::sin(0.7 * along + phase);
          for (std::int64_t channel = 0; channel < 3; ++channel) {
            const double normal = (channel == index ? 170 : 60) + stripe + 6 * rng.normal();
            const double broken = rng.uniform(0, 255);
            *value++ =
                static_cast<std::uint8_t>(std::clamp(is_inside ? broken : normal, 0.0, 255.0));
          }
        }
      }
    }
    return pixels;
  }

  InputSpec input_;
};

}  // namespace cadenza
