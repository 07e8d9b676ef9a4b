#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/dataset/task_data.h"
#include "cadenza/method/dual_prompt/prompted_network.h"
#include "cadenza/method/dual_prompt/settings.h"
#include "cadenza/method/method.h"
#include "cadenza/structure/contrastive/region_labels.h"

namespace cadenza::dual_prompt {

/// The images of one training as they enter the first prompted block, each computed once while
/// cache_mb lasts (in the precision of the network), and the regions their cells lie in.
///
/// What training is fed is one row an image, [B, C*h*w + N]: the prefix, then the region of each
/// cell: a strategy may keep such rows and give them back.
///
/// Borrows all. Errors of members: kCancelled by the context's stop, seen within a batch.
class TrainingImages {
 public:
  TrainingImages(const PromptedNetwork& network, const DualPromptSettings& settings,
                 const InputSpec& input, const TaskData& data, const TrainContext& context);

  /// [n,C,h,w] float32
  at::Tensor prefix(std::span<const std::int64_t> rows);
  at::Tensor fed(std::span<const std::int64_t> rows);
  /// The same of pictures [n,H,W,3] uint8 that were kept of earlier tasks.
  at::Tensor fed_pixels(const at::Tensor& pixels) const;

  /// Parts of fed rows.
  at::Tensor prefix_of(const at::Tensor& fed) const;
  at::Tensor labels_of(const at::Tensor& fed) const;  ///< [B,N] int64

 private:
  void require_running() const;

  const PromptedNetwork& network_;
  const InputSpec& input_;
  const TaskData& data_;
  const TrainContext& context_;
  RegionLabels labels_;
  std::vector<at::Tensor> prefixes_;  ///< by image; undefined: not asked for, or no room
  std::int64_t room_bytes_;
};

}  // namespace cadenza::dual_prompt
