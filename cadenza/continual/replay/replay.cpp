// Replay of raw images (experience replay).
//  1. The buffer holds at most `capacity` original images, uint8, as TaskData::pixels gives them.
//  2. When task number t ends
//     mode=balanced:  each of the t tasks may keep capacity / t images: earlier tasks drop images
//                     drawn uniformly, the new task brings a uniform sample of its own;
//     mode=reservoir: its images, shuffled, go through a reservoir, so that every image seen so far
//                     is kept with the same probability and large tasks keep more.
//  3. Each step draws `batch` images from the buffer; the method makes a freshly augmented batch of
//     them, which joins the current one.
#include <algorithm>
#include <map>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/continual/reservoir.h"
#include "cadenza/continual/strategy.h"
#include "cadenza/continual/training_loop.h"

namespace cadenza {
namespace {

at::Tensor row_index(const std::vector<std::int64_t>& rows) {
  return at::tensor(rows, at::TensorOptions().dtype(at::kLong));
}

/// Life     one object a stream: training_loop.h calls its hooks.
/// Differs  dne_cl.md 2.4 states the balanced buffer; the authors' `er` stores augmented normals in
///          a reservoir over all batches. Here pictures are stored once and augmented anew.
class Replay final : public ContinualStrategy {
 public:
  Replay(const Options& options, std::uint64_t seed)
      : capacity_(options.integer("capacity")),
        batch_(options.integer("batch")),
        is_reservoir_(options.text("mode") == "reservoir"),
        seed_(seed) {}

  void begin_task(const TaskData& data, TrainableView& view) override {
    CADENZA_REQUIRE(view.batch_from_pixels, ErrorCode::kUnsupported,
                    "strategy 'replay': this method cannot make a batch from stored images");
    view_ = &view;
    draws_ = Rng(seed_, cat("replay draw ", step_name(data)));
  }

  void mix_batch(Batch& batch) override {
    std::int64_t n_stored = 0;
    for (const auto& [task, pixels] : buffer_) n_stored += pixels.size(0);
    if (n_stored == 0 || batch_ == 0) return;
    const auto [pixels, task] = rows(draws_.sample_sorted(n_stored, batch_));
    append(batch, view_->batch_from_pixels(pixels, task));
  }

  void end_task(const TaskData& data) override {
    view_ = nullptr;
    std::map<TaskId, std::vector<std::int64_t>> rows_of_task;
    const auto index = data.task(0, data.size());
    for (std::int64_t row = 0; row < data.size(); ++row) {
      const auto which = static_cast<std::size_t>(index[row].item<std::int64_t>());
      rows_of_task[data.tasks()[which].id].push_back(row);
    }
    // A task that comes again (cumulative data) replaces what was kept of it.
    for (const auto& [task, task_rows] : rows_of_task) buffer_.erase(task);
    if (is_reservoir_) {
      for (const auto& [task, task_rows] : rows_of_task)
        pass_through_reservoir(data, task, task_rows);
    } else {
      share_out(data, rows_of_task);
    }
  }

  StatePiece save() const override {
    StatePiece state;
    for (const auto& [task, pixels] : buffer_) state.tensors[cat("pixels.", task)] = pixels;
    if (is_reservoir_) state.texts["seen"] = std::to_string(n_seen_);
    return state;
  }

  void load(const StatePiece& state) override {
    buffer_.clear();
    PieceReader reader(state, "strategy 'replay'");
    for (const auto& [key, value] : state.tensors) {
      const auto pixels = reader.tensor(key);
      CADENZA_REQUIRE(key.starts_with("pixels.") && pixels.dim() == 4 && pixels.size(3) == 3 &&
                          pixels.scalar_type() == at::kByte,
                      ErrorCode::kCorruptData, "strategy 'replay': expected '", key,
                      "' to be pixels.<task id> [n,H,W,3] uint8");
      buffer_[std::stoll(key.substr(7))] = pixels;
    }
    if (is_reservoir_) n_seen_ = std::stoll(reader.text("seen"));
    reader.finish();
  }

 private:
  void share_out(const TaskData& data,
                 const std::map<TaskId, std::vector<std::int64_t>>& rows_of_task) {
    const auto n_tasks = static_cast<std::int64_t>(buffer_.size() + rows_of_task.size());
    const auto quota = capacity_ / n_tasks;
    for (auto& [task, pixels] : buffer_) {
      pixels = pixels.index_select(0, row_index(sample(task, quota, pixels.size(0))));
    }
    for (const auto& [task, task_rows] : rows_of_task) {
      buffer_[task] = stored(data, task_rows, sample(task, quota, std::ssize(task_rows)));
    }
  }

  /// Slots are counted through the buffer, task after task: which slot an image has is of no
  /// consequence, since the one that is given up is drawn evenly from all.
  void pass_through_reservoir(const TaskData& data, TaskId task,
                              const std::vector<std::int64_t>& task_rows) {
    struct Slot {
      TaskId task;
      std::int64_t row;
    };
    std::vector<Slot> slots;
    for (const auto& [earlier, pixels] : buffer_) {
      for (std::int64_t row = 0; row < pixels.size(0); ++row) slots.push_back({earlier, row});
    }
    Rng rng(seed_, cat("replay reservoir ", step_name(data), " ", task));
    for (const auto row : rng.permutation(std::ssize(task_rows))) {
      // A buffer that is not full (an earlier task came again) takes whatever comes.
      const auto n_before = std::ssize(slots) < capacity_ ? std::ssize(slots) : n_seen_;
      const auto slot = reservoir_slot(n_before, capacity_, [&](std::int64_t n) {
        return static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(n)));
      });
      ++n_seen_;
      if (!slot) continue;
      if (*slot == std::ssize(slots)) slots.emplace_back();
      slots[static_cast<std::size_t>(*slot)] = {task, row};
    }
    std::map<TaskId, std::vector<std::int64_t>> kept;
    for (const auto& slot : slots) kept[slot.task].push_back(slot.row);
    for (auto& [earlier, pixels] : buffer_) {
      pixels = pixels.index_select(0, row_index(kept[earlier]));
    }
    buffer_[task] = stored(data, task_rows, kept[task]);
  }

  /// Pixels [n,H,W,3] and tasks [n] of rows counted through the buffer, task after task.
  std::pair<at::Tensor, at::Tensor> rows(const std::vector<std::int64_t>& wanted) const {
    std::vector<at::Tensor> pixels, tasks;
    std::int64_t first = 0;
    for (const auto& [task, stored] : buffer_) {
      for (const auto row : wanted) {
        if (row < first || row >= first + stored.size(0)) continue;
        pixels.push_back(stored[row - first]);
        tasks.push_back(at::scalar_tensor(task, at::kLong));
      }
      first += stored.size(0);
    }
    return {at::stack(pixels), at::stack(tasks)};
  }

  /// At most `quota` of n, drawn from a stream that names the task and the quota alone.
  std::vector<std::int64_t> sample(TaskId task, std::int64_t quota, std::int64_t n) const {
    return Rng(seed_, cat("replay keep ", task, " ", quota)).sample_sorted(n, quota);
  }

  static at::Tensor stored(const TaskData& data, const std::vector<std::int64_t>& task_rows,
                           const std::vector<std::int64_t>& picks) {
    if (picks.empty()) return data.pixels(0, 1).slice(0, 0, 0).clone();
    std::vector<at::Tensor> images;
    for (const auto pick : picks) {
      const auto row = task_rows[static_cast<std::size_t>(pick)];
      images.push_back(data.pixels(row, row + 1));
    }
    return at::cat(images);
  }

  std::int64_t capacity_, batch_;
  bool is_reservoir_;
  std::int64_t n_seen_ = 0;
  std::uint64_t seed_;
  std::map<TaskId, at::Tensor> buffer_;  ///< [n,H,W,3] uint8 of each task seen
  TrainableView* view_ = nullptr;
  Rng draws_{0, ""};
};

}  // namespace

void register_replay(StrategyRegistry& registry) {
  registry.add(
      {.name = "replay",
       .info = {.name = "replay",
                .summary = "mixes stored images of earlier tasks into every batch",
                .source = "Chaudhry et al., On Tiny Episodic Memories in Continual Learning, 2019; "
                          "balanced buffer of raw images: dne_cl.md 2.4"},
       .options = {integer_option("capacity", 200, 0, 1'000'000,
                                  "images kept in all; 150 KB each at 224 px"),
                   integer_option("batch", 32, 0, 4096, "stored images that join each step"),
                   choice_option("mode", "balanced", {"balanced", "reservoir"},
                                 "an equal share for every task, or for every image")},
       .bibtex = R"(@article{chaudhry2019tiny,
  title={On Tiny Episodic Memories in Continual Learning},
  author={Chaudhry, Arslan and Rohrbach, Marcus and Elhoseiny, Mohamed and Ajanthan, Thalaiyasingam and Dokania, Puneet K. and Torr, Philip H. S. and Ranzato, Marc'Aurelio},
  journal={arXiv preprint arXiv:1902.10486},
  year={2019}
})",
       .make = [](const Options& options,
                  std::uint64_t seed) -> std::unique_ptr<ContinualStrategy> {
         return std::make_unique<Replay>(options, seed);
       }});
}

}  // namespace cadenza
