#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

namespace cadenza {

enum class PatchSampler {
  kExact,     ///< greedy k-center on the patches themselves, from the first one
  kProjected  ///< the same on random projections, bounded by start rows
};

/// "greedy_coreset", "approx_greedy_coreset". Errors: kInvalidArgument listing them.
PatchSampler parse_patch_sampler(std::string_view name);

struct PatchCoresetOptions {
  PatchSampler sampler = PatchSampler::kExact;
  std::int64_t projection_dim = 128;  ///< kProjected: numbers of a projected row
  std::int64_t n_start_rows = 10;     ///< kProjected: rows whose mean distance bounds the start
  std::uint64_t seed = 0;             ///< kProjected: of projection and start rows
  std::string stream;                 ///< names their random numbers: the task
};

/// Rows picked for a memory, and the image each came from.
struct PickedPatches {
  at::Tensor rows;                   ///< [K,D]
  std::vector<std::int32_t> owners;  ///< [K], index of the image

  /// The first k, or all where there are fewer: what a smaller pick would have given.
  PickedPatches first(std::int64_t k) const;
};

/// At most `k` of the patches [T,N,D] of T images.
/// Errors   kInvalidArgument: shape, k below 1. kCancelled. Those of the two coresets.
PickedPatches pick_patches(const at::Tensor& patches, std::int64_t k,
                           const PatchCoresetOptions& options, std::stop_token stop = {});

/// What the images of a memory look like to it when each has to do without the rows it gave.
///
/// Shapes   patches [T,N,D], in the order of the owners -> [T,N] Euclidean; +inf where no other
///          image gave a row.
at::Tensor left_out_distances(const PickedPatches& picked, const at::Tensor& patches);

}  // namespace cadenza
