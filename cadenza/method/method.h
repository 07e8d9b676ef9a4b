#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/base/clock.h"
#include "cadenza/base/progress.h"
#include "cadenza/dataset/input_spec.h"
#include "cadenza/dataset/task_data.h"
#include "cadenza/tensor/state.h"

namespace cadenza {

/// Facts about a method that callers need. The registry holds those of the default options, an
/// instance those of its own.
struct MethodInfo {
  std::string name;                ///< unique, [a-z0-9_]+; written into saved state
  std::string summary;             ///< one line for --help and the page
  std::string source;              ///< paper, and the section or equation followed
  std::int64_t state_version = 1;  ///< raise when save() changes meaning
  InputSpec input;
  std::int64_t min_images = 1;      ///< fewer normals of a task are refused
  bool makes_map = true;            ///< score() fills ScoreBatch::anomaly_map
  bool picks_task = false;          ///< score() routes: fills task and task_distance
  bool shares_parameters = false;   ///< tasks train common weights: a strategy can act on it
  bool learns_from_scratch = true;  ///< detects on generated weights too (law 10)
  bool isolates_tasks = false;      ///< learning another task changes no earlier task's scores
  /// Its authors report the mean over the epochs of a training of scores scaled over the test set
  /// (paper mode: experiment/paper_epochs.h).
  bool joins_epochs = false;
  bool calibrates = false;  ///< calibration() tells how left-out normals score
  std::string network;      ///< name of the backbone, empty if none
  std::string fingerprint;  ///< of network, weights, engine, precision and preprocessing
};

class ContinualStrategy;  // cadenza/continual/strategy.h
class Method;

/// Everything a training run is given from outside. Nothing else is global.
struct TrainContext {
  std::uint64_t seed = 0;                 ///< same seed, data and thread count: same state bytes
  std::stop_token stop;                   ///< polled at least once a batch
  ContinualStrategy* strategy = nullptr;  ///< not owned; null: plain fine-tuning
  bool frozen = false;                    ///< parameters stay as they are; memories still grow
  Progress* progress = &no_progress();    ///< not owned
  /// Called after each epoch by methods that have epochs; false ends the training. The runner sets
  /// it (periodic evaluation, paper mode). `method` can score as it stands.
  std::function<bool(std::int64_t epoch, const Method& method)> after_epoch;
};

struct ScoreRequest {
  /// Tasks that routing may pick. Empty: all. One: that task, and rejection is the caller's to
  /// skip.
  std::span<const TaskId> candidates;
  StageClock* clock = nullptr;  ///< gets the network's and the scoring's time
};

/// Scores of B images. Tensors are contiguous and on the CPU.
struct ScoreBatch {
  at::Tensor image_score;                   ///< [B] float32, finite; higher is more anomalous
  std::optional<at::Tensor> anomaly_map;    ///< [B,h,w] float32, any grid over the fitted input
  std::optional<at::Tensor> task;           ///< [B] int64, TaskId that each image was routed to
  std::optional<at::Tensor> task_distance;  ///< [B] float32, 1 = a typical normal of that task
};

/// What thresholds are made of. Scores are those of the task's own normals, each scored as if it
/// had not been learned.
struct Calibration {
  std::vector<float> scores;           ///< in training order; higher is more anomalous
  std::vector<float> distances;        ///< task_distance of the same images
  std::optional<double> reject_above;  ///< task_distance from which an image is of no known task
  bool certifiable = true;             ///< false: thresholds are reported as not certified
  /// Map values above it are outside what left-out normals show; absent: the caller takes the
  /// largest value on some of the images that were learned.
  std::optional<double> map_threshold = {};
};

/// An anomaly detector that learns a sequence of tasks.
///
/// Life     make (registry) -> [load] -> { train_task | score | save }*.
/// Threads  const members may run concurrently with each other; the others need exclusive access.
/// There is no hidden fitting: when train_task() returns, the method is ready to score.
class Method {
 public:
  Method() = default;
  Method(const Method&) = delete;
  Method& operator=(const Method&) = delete;
  virtual ~Method() = default;

  virtual const MethodInfo& info() const noexcept = 0;

  /// The tasks learned so far, oldest first.
  virtual std::span<const TaskId> tasks() const noexcept = 0;

  /// Learns one step: the tasks of `data`, whose ids are new to this method. (Strategy `upper`
  /// gives a method that shares parameters its earlier tasks again, with all their images: what was
  /// kept of them is replaced.) On Error (kCancelled included) the method may only be destroyed or
  /// load()ed.
  virtual void train_task(const TaskData& data, const TrainContext& context) = 0;

  /// Scores images [B,3,H,W] float32, B >= 1, H and W as info().input says.
  /// Errors: kInvalidArgument on another shape, before the first task, or for an unknown candidate.
  virtual ScoreBatch score(const at::Tensor& images, const ScoreRequest& request) const = 0;

  /// Nothing (when info().calibrates is false): the caller holds back every fifth normal itself
  /// before it trains, and says which.
  virtual std::optional<Calibration> calibration(TaskId task) const {
    (void)task;
    return std::nullopt;
  }

  /// The same tasks judged by a larger memory that this method keeps beside the one it uses, for
  /// comparing the two (`memory_gap`); null: it keeps none.
  virtual std::unique_ptr<Method> with_larger_memory() const { return nullptr; }

  virtual MethodState save() const = 0;

  /// Reads what save() of the same info().state_version gave into an object made with equal
  /// options. On Error the object may only be destroyed.
  virtual void load(const MethodState& state) = 0;
};

}  // namespace cadenza
