#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "cadenza/dataset/input_spec.h"
#include "cadenza/dataset/sample.h"
#include "cadenza/dataset/task_data.h"
#include "cadenza/image/image.h"

namespace cadenza {

/// The regions of one training image, [H,W] int32, 0 = in none. `fitted` is the picture as
/// prepare_pixels() gives it. Called from several threads.
using RegionSource = std::function<at::Tensor(const Sample& sample, const Image& fitted)>;

struct TrainingOptions {
  /// Of prepared pictures and region maps that are kept in memory; the first that fit stay, the
  /// others are read again each time.
  std::uint64_t cache_bytes = std::uint64_t{128} << 20;
  RegionSource regions = {};  ///< required where InputSpec::needs_structure
  /// Auxiliary data with known defects: defect() answers. Otherwise a defect among the samples is
  /// refused.
  bool is_labelled = false;
};

/// Training images that lie in files. A file is read when it is first asked for, and its digest is
/// remembered: one that changes in the meantime is an error.
///
/// Errors   kInvalidArgument: no task, a sample of a task that is not in `tasks`, a defect that was
///          not asked for, region maps without a source. Reading an image: as read_image().
std::unique_ptr<TaskData> open_training(std::vector<TaskRef> tasks, std::vector<Sample> samples,
                                        const InputSpec& input, TrainingOptions options = {});

}  // namespace cadenza
