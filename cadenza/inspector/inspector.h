#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "cadenza/base/options.h"
#include "cadenza/base/progress.h"
#include "cadenza/inspector/manifest.h"
#include "cadenza/inspector/verdict.h"
#include "cadenza/network/environment.h"

namespace cadenza {

// Declared only: this header asks no one for LibTorch.
class Method;            // cadenza/method/method.h
class MethodRegistry;    // cadenza/method/registry.h
struct TaskCalibration;  // cadenza/inspector/score_image.h

/// Where a model runs. The defaults are right for a CPU.
struct InspectorOptions {
  NetworkEnvironment environment;
  const MethodRegistry* methods = nullptr;  ///< not owned; null: every method of this build
};

/// What a new model is made of; fixed for its life.
struct ModelSettings {
  std::string method;   ///< empty: routed_memory, or that of the model that is there
  OptionTexts options;  ///< of the method, over its defaults
};

/// One product to learn.
struct TrainRequest {
  std::string task;                           ///< its name, new to the model
  std::vector<std::filesystem::path> normal;  ///< images and folders of images of good parts
  double target_fpr = 0.05;                   ///< share of good parts that may be called defect
  /// Label maps of the images, for methods that learn from regions: a folder or a ZIP archive, see
  /// structure/region_source/mask_tree.h. Empty: made from the images, where the method asks.
  std::filesystem::path masks;
  std::uint64_t seed = 0;               ///< same seed, images and threads: same state bytes
  std::stop_token stop;                 ///< ends within one batch, nothing changed
  Progress* progress = &no_progress();  ///< not owned
};

struct TrainReport {
  TaskRecord task;
  std::int64_t generation = 0;
  std::vector<std::string> held_back;  ///< files that set the threshold and were not learned
  std::vector<std::string> notes;      ///< skipped files, duplicates, few images
};

struct PredictOptions {
  std::optional<std::string> task;  ///< judge by it alone; nothing is rejected
  bool makes_map = true;            ///< fill Verdict::map; regions are found either way
};

/// A model directory, open: learns one product after another and judges images of all of them.
///
///   auto line = Inspector::open_or_create("line");
///   line.train({.task = "bottle", .normal = {"photos/bottle"}});
///   const Verdict verdict = line.predict("new.png");
///   if (verdict.label == Label::kDefect) ...
///
/// Every change is committed as a new generation before the call returns, or has not happened. The
/// object sees what it has opened or changed itself; another process' change shows after refresh().
/// Errors   the directory's as ModelDirectory and ModelWriter say; kUnsupported: the model was made
///          with another network, weights, engine or precision than this machine would use.
/// Threads  const members may run concurrently with each other; the others need exclusive access.
class Inspector {
 public:
  /// Errors: kNotFound when there is no model.
  static Inspector open(const std::filesystem::path& directory,
                        const InspectorOptions& options = {});
  /// A model without tasks; nothing is written before the first train(). Errors: kInvalidArgument
  /// when there is a model already, an unknown method or option.
  static Inspector create(const std::filesystem::path& directory,
                          const ModelSettings& settings = {}, const InspectorOptions& options = {});
  /// Opens what is there. Errors: kInvalidArgument when it was made with another method or with
  /// another value of an option that `settings` names.
  static Inspector open_or_create(const std::filesystem::path& directory,
                                  const ModelSettings& settings = {},
                                  const InspectorOptions& options = {});
  Inspector(Inspector&&) noexcept;
  Inspector& operator=(Inspector&&) noexcept;
  ~Inspector();

  const std::filesystem::path& directory() const noexcept;
  /// Absent before the first train() of a new model.
  const std::optional<Manifest>& manifest() const noexcept;
  /// The tasks of the current generation, oldest first.
  std::span<const TaskRecord> tasks() const noexcept;
  /// What judges, as it stands: for whoever scores images in another way (experiment/test_model.h).
  /// Errors   kIo: a failed change could not be undone in memory, the directory was unreadable;
  ///          refresh() tries again.
  const Method& method() const;
  std::span<const TaskCalibration> calibrations() const noexcept;

  /// Learns one product. Errors: kInvalidArgument: the name is taken, empty or has a slash or
  /// control character, too few images, no image at all; kCorruptData and others naming the image
  /// that cannot be read; kCancelled.
  TrainReport train(const TrainRequest& request);

  /// Writes nothing into the model directory. Errors: score_image().
  Verdict predict(const std::filesystem::path& image, const PredictOptions& options = {}) const;
  Verdict predict(std::span<const std::byte> image_file, std::string_view name,
                  const PredictOptions& options = {}) const;

  /// A threshold computed anew for another share of false alarms, or set by hand; no image is
  /// needed. Errors: kNotFound: no such task. kInvalidArgument: outside (0, 0.5], not finite.
  void set_target_fpr(std::string_view task, double target_fpr);
  void set_threshold(std::string_view task, double threshold);

  void rename_task(std::string_view task, const std::string& new_name);
  /// Takes back the last change of the whole model. Errors: kInvalidArgument: there is none.
  void undo();
  /// Takes back the last change of one task. Errors: kUnsupported: other tasks have been learned on
  /// top of it and share parameters with it.
  void undo_task(std::string_view task);
  /// Forgets all generations but the current one; returns the bytes that this freed.
  std::uint64_t prune();

  /// Opens the current generation again.
  void refresh();

 private:
  struct Impl;
  explicit Inspector(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cadenza
