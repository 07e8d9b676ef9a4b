// ucad_cost PRECISION [KEY=VALUE...]
// Milliseconds of method ucad with generated weights of ViT-B/16: one image of a training epoch,
// and one image judged among 15 tasks, as one JSON object. bench/ucad_cost.py compares them with
// timm.
#include <algorithm>
#include <chrono>
#include <ctime>
#include <iostream>

#include "tests/support/memory_task_data.h"
#include <ATen/ATen.h>

#include "cadenza/base/json.h"
#include "cadenza/method/registry.h"

namespace cadenza {
namespace {

using Clock = std::chrono::steady_clock;

/// By the clock, and of all processors together: the second says what a busy machine hides.
struct Spent {
  double wall_ms = 0, cpu_ms = 0;
};

struct Moment {
  Clock::time_point wall = Clock::now();
  std::clock_t cpu = std::clock();
};

Spent between(const Moment& first, const Moment& last) {
  return {std::chrono::duration<double, std::milli>(last.wall - first.wall).count(),
          1e3 * static_cast<double>(last.cpu - first.cpu) / CLOCKS_PER_SEC};
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

constexpr std::int64_t kImages = 24, kBatch = 8;
constexpr std::int64_t kTasks = 15;

/// Noise in nine regions.
class Pictures final : public MemoryTaskData {
 public:
  Pictures()
      : MemoryTaskData({.id = 0, .name = "noise"},
                       at::randint(256, {kImages, 224, 224, 3}, at::kByte)) {}
  at::Tensor images(std::int64_t first, std::int64_t last) const override {
    return MemoryTaskData::images(first, last).mul(2).sub(1);
  }
  std::optional<at::Tensor> structure(std::int64_t first, std::int64_t last) const override {
    const auto part = at::arange(224).floor_divide(75);
    const auto map = (1 + part.unsqueeze(1) * 3 + part).to(at::kInt);
    return map.unsqueeze(0).repeat({last - first, 1, 1});
  }
};

/// Times the batches of the training loop; the first is a warm-up.
class TrainingClock final : public Progress {
 public:
  void begin(std::string_view phase, std::int64_t) override {
    is_training_ = phase.ends_with(": training");
  }
  void advance(std::int64_t) override {
    if (!is_training_) return;
    const Moment now;
    if (n_batches_++ > 0) {
      const auto spent = between(last_, now);
      wall_.push_back(spent.wall_ms / kBatch);
      cpu_.push_back(spent.cpu_ms / kBatch);
    }
    last_ = now;
  }
  void end() override { is_training_ = false; }

  std::vector<double> wall_, cpu_;  // an image, by batch

 private:
  bool is_training_ = false;
  std::int64_t n_batches_ = 0;
  Moment last_;
};

void measure(OptionTexts options) {
  options.insert({{"network", "vit_base_patch16"}, {"weights", "random:1"}, {"epochs", "2"}});
  const auto methods = builtin_methods();
  const Pictures pictures;
  TrainingClock clock;
  const auto teacher = methods.make("ucad", options, {});
  teacher->train_task(pictures, {.seed = 1, .progress = &clock});

  // Fifteen tasks, each a little other than the first.
  auto state = teacher->save();
  const auto n_bytes = [&] {
    std::int64_t sum = 0;
    for (const auto& [name, tensor] : state.tasks.at(0).tensors)
      sum += std::int64_t(tensor.nbytes());
    return sum;
  }();
  for (TaskId task = 1; task < kTasks; ++task) {
    state.tasks[task] = state.tasks.at(0);
    for (auto& [name, tensor] : state.tasks[task].tensors) {
      if (tensor.dim() > 1) tensor = tensor + 0.01 * at::randn_like(tensor);
    }
  }
  const auto method = methods.make("ucad", options, {});
  method->load(state);
  const auto image = pictures.images(0, 1);
  std::vector<double> wall, cpu;
  for (int round = 0; round < 13; ++round) {
    const Moment start;
    method->score(image, {});
    const auto spent = between(start, {});
    if (round < 3) continue;
    wall.push_back(spent.wall_ms);
    cpu.push_back(spent.cpu_ms);
  }
  Json told = {{"predict_ms", median(wall)},
               {"predict_cpu_ms", median(cpu)},
               {"state_bytes_a_task", n_bytes}};
  if (!clock.wall_.empty()) {
    told["train_ms"] = median(clock.wall_);
    told["train_cpu_ms"] = median(clock.cpu_);
  }
  std::cout << told << std::endl;
}

}  // namespace
}  // namespace cadenza

int main(int n_arguments, char** arguments) {
  try {
    if (n_arguments < 2) throw std::invalid_argument("usage: ucad_cost PRECISION [KEY=VALUE...]");
    cadenza::OptionTexts options = {{"precision", arguments[1]}};
    for (int index = 2; index < n_arguments; ++index) {
      const std::string word = arguments[index];
      options[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
    }
    cadenza::measure(options);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "ucad_cost: " << error.what() << '\n';
    return 1;
  }
}
