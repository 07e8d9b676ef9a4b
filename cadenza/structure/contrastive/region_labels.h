#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/dataset/task_data.h"
#include "cadenza/structure/contrastive/cell_labels.h"

namespace cadenza {

struct RegionLabelOptions {
  std::int64_t rows = 14, columns = 14;  ///< of the feature grid
  LabelRule rule = LabelRule::kNearest;
  /// As InputSpec::structure. "grid": squares of 5 x 5 cells, no pictures are looked at.
  std::string structure = "felzenszwalb";
};

/// The regions that the cells of a feature grid lie in, of the training images of one step: what
/// the contrastive loss attracts and repels. Each image's are taken once.
///
/// Threads  one at a time.
class RegionLabels {
 public:
  /// Borrows `data`.
  RegionLabels(const TaskData& data, RegionLabelOptions options);

  /// [1, rows*columns] int64. Errors: kInvalidArgument: the data have no region maps.
  at::Tensor of_image(std::int64_t image);

  /// The same of pictures [n,H,W,3] uint8 that were kept of earlier tasks: [n, rows*columns]. Their
  /// regions are made anew: by slic or as a grid where the option says so, else by felzenszwalb.
  at::Tensor of_pixels(const at::Tensor& pixels) const;

 private:
  const TaskData& data_;
  RegionLabelOptions options_;
  std::vector<at::Tensor> known_;
};

}  // namespace cadenza
