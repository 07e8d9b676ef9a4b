#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cadenza/base/options.h"

namespace cadenza {

/// A content-addressed file of a model directory: state/<sha256>.safetensors.
struct PieceRef {
  std::string sha256;
  std::uint64_t n_bytes = 0;
  bool operator==(const PieceRef&) const = default;
};

/// Where a task's threshold comes from; the names are part of the format.
enum class ThresholdSource {
  kLeftOut,   ///< "left-out": each normal scored as if it had not been learned
  kHeldBack,  ///< "held-back": every fifth normal was not learned
  kManual,    ///< "manual": set by a person
};
std::string_view to_string(ThresholdSource source) noexcept;

struct ThresholdRecord {
  std::optional<double> value;  ///< absent: too few normals for any
  ThresholdSource source = ThresholdSource::kLeftOut;
  double target_fpr = 0.05;
  bool is_certified = false;   ///< the number of normals suffices for the target
  std::int64_t n_normals = 0;  ///< scores it was computed from
  bool operator==(const ThresholdRecord&) const = default;
};

struct TaskRecord {
  std::int64_t id = 0;  ///< never used again, also after the task is gone
  std::string name;
  std::int64_t n_images = 0;  ///< learned; held-back ones not counted
  std::string learned;        ///< UTC
  PieceRef state;
  ThresholdRecord threshold;
  std::optional<double> reject_above;
  std::optional<double> map_threshold;
  bool operator==(const TaskRecord&) const = default;
};

/// One state of a model directory, whole.
struct Generation {
  std::int64_t number = 0;
  std::string written;  ///< UTC
  std::string change;   ///< "train bottle": for people
  PieceRef shared;
  std::vector<TaskRecord> tasks;  ///< oldest first

  const TaskRecord* find(std::string_view task) const;
};

/// What manifest.json holds (docs/formats/manifest.md).
struct Manifest {
  static constexpr std::int64_t kFormat = 1;

  std::string method;
  std::int64_t state_version = 1;
  OptionTexts options;
  std::string network;
  std::string fingerprint;  ///< of network, weights, engine, precision and preprocessing
  std::int64_t next_task_id = 0;
  std::int64_t next_generation = 1;
  std::vector<Generation> history;  ///< oldest first, never empty; the last is current

  const Generation& current() const { return history.back(); }

  /// "sha256:..." of everything that decides a verdict: equal digests, equal verdicts.
  std::string digest() const;
};

/// The text of manifest.json, checksum included.
std::string write_manifest(const Manifest& manifest);

/// Errors   kCorruptData: not JSON, a wrong checksum, a missing or contradicting member.
///          kUnsupported: a newer format. Each names `name`.
Manifest parse_manifest(std::string_view text, std::string_view name);

}  // namespace cadenza
