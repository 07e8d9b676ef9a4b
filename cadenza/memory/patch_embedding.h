#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/tensor/channel_pool.h"

namespace cadenza {

struct PatchEmbeddingOptions {
  std::int64_t n_channels = 0, rows = 0, columns = 0;  ///< of the features
  std::int64_t patch_size = 1;         ///< side of the square that is taken as one patch, odd
  std::int64_t embed_dim = 0;          ///< channels they are averaged to; 0: as they are
  std::int64_t target_dim = 0;         ///< and from there to these; 0: no second time
  bool keeps_distances_alone = false;  ///< where averaging makes features longer: see operator()
};

/// Features as distances are taken of them: each patch with its neighbours, channels averaged to
/// another number, once or twice.
///
/// Threads  pure.
/// Source   PatchCore's released program, as UCAD uses it (ucad specification 1.5).
class PatchEmbedding {
 public:
  /// Errors: those of ChannelPool.
  explicit PatchEmbedding(const PatchEmbeddingOptions& options);

  /// Shapes   features [B,rows*columns,n_channels] -> [B,rows*columns,dim()] float32 on the CPU.
  ///          Of a patch's square, channel by channel; zeros outside.
  /// Differs  with keeps_distances_alone, one averaging that makes features longer gives what has
  ///          the same distances in fewer numbers.
  at::Tensor operator()(const at::Tensor& features) const;

  std::int64_t dim() const noexcept { return dim_; }

 private:
  std::int64_t rows_, columns_, patch_size_, dim_;
  std::vector<ChannelPool> pools_;
  bool is_shortened_;
};

}  // namespace cadenza
