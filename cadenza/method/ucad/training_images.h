#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/dataset/task_data.h"
#include "cadenza/method/method.h"
#include "cadenza/method/ucad/prompted_vit.h"
#include "cadenza/method/ucad/settings.h"

namespace cadenza {

/// The images of one training as they enter the first prompted block, each computed once while
/// cache_mb lasts, and the regions their cells lie in.
///
/// What training is fed is one tensor [B,1+N,width+1]: tokens, and behind each patch's the id of
/// its region (0 behind the class token): a strategy may keep such rows and give them back.
///
/// Borrows all. Errors of members: kCancelled by the context's stop, seen within a batch.
class TrainingImages {
 public:
  TrainingImages(const PromptedVit& vit, const UcadSettings& settings, const InputSpec& input,
                 const TaskData& data, const TrainContext& context);

  std::int64_t size() const noexcept { return data_.size(); }
  /// [n,1+N,width]
  at::Tensor tokens(std::span<const std::int64_t> rows);
  at::Tensor fed(std::span<const std::int64_t> rows);
  /// The same of pictures [n,H,W,3] uint8 that were kept of earlier tasks. Their regions are made
  /// anew: by slic or a grid where the option says so, else by felzenszwalb.
  at::Tensor fed_pixels(const at::Tensor& pixels) const;

 private:
  at::Tensor labels(std::int64_t row);
  at::Tensor cells(const at::Tensor& maps) const;
  void require_running() const;

  const PromptedVit& vit_;
  const UcadSettings& settings_;
  const InputSpec& input_;
  const TaskData& data_;
  const TrainContext& context_;
  std::vector<at::Tensor> tokens_, labels_;  ///< by row; undefined: not asked for, or no room
  std::int64_t room_bytes_;
};

/// Tokens and region ids [B,N] of fed rows.
struct Fed {
  at::Tensor tokens, labels;
};
Fed split_fed(const at::Tensor& fed);

}  // namespace cadenza
