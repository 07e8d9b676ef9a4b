#include "cadenza/memory/patch_embedding.h"

#include <ATen/ATen.h>

namespace cadenza {

PatchEmbedding::PatchEmbedding(const PatchEmbeddingOptions& options)
    : rows_(options.rows),
      columns_(options.columns),
      patch_size_(options.patch_size),
      dim_(options.n_channels * options.patch_size * options.patch_size),
      is_shortened_(false) {
  for (const auto next : {options.embed_dim, options.target_dim}) {
    if (next == 0 || (!pools_.empty() && next == dim_)) continue;
    pools_.emplace_back(dim_, next);
    dim_ = next;
  }
  if (!options.keeps_distances_alone || pools_.size() != 1) return;
  is_shortened_ = true;
  dim_ = pools_[0].n_kept();
}

at::Tensor PatchEmbedding::operator()(const at::Tensor& features) const {
  auto here = features.to(at::kCPU, at::kFloat);
  if (patch_size_ > 1) {
    const auto grid = here.transpose(1, 2).reshape({here.size(0), here.size(2), rows_, columns_});
    const auto margin = patch_size_ / 2;
    here = at::im2col(grid, {patch_size_, patch_size_}, {1, 1}, {margin, margin}, {1, 1})
               .transpose(1, 2);
  }
  if (is_shortened_) return pools_[0].distance_preserving(here);
  for (const auto& pool : pools_) here = pool.pool(here);
  return here;
}

}  // namespace cadenza
