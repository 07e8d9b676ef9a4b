#include "cadenza/memory/patch_coreset.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/base/rng.h"
#include "cadenza/memory/coreset.h"
#include "cadenza/memory/nearest.h"
#include "cadenza/memory/projected_coreset.h"
#include "cadenza/tensor/shape.h"

namespace cadenza {
namespace {

/// [n_out,n_in], i.i.d. U(-1/sqrt(n_in), 1/sqrt(n_in)).
at::Tensor random_projection(const PatchCoresetOptions& options, std::int64_t n_in) {
  Rng rng(options.seed, cat("projection ", options.stream));
  const double bound = 1 / std::sqrt(static_cast<double>(n_in));
  auto matrix = at::empty({options.projection_dim, n_in}, at::kFloat);
  auto* value = matrix.mutable_data_ptr<float>();
  for (std::int64_t index = 0; index < matrix.numel(); ++index) {
    value[index] = static_cast<float>(rng.uniform(-bound, bound));
  }
  return matrix;
}

}  // namespace

PatchSampler parse_patch_sampler(std::string_view name) {
  if (name == "greedy_coreset") return PatchSampler::kExact;
  CADENZA_REQUIRE(name == "approx_greedy_coreset", ErrorCode::kInvalidArgument, "sampler '", name,
                  "': expected greedy_coreset or approx_greedy_coreset");
  return PatchSampler::kProjected;
}

PickedPatches PickedPatches::first(std::int64_t k) const {
  const auto n = std::min<std::int64_t>(k, std::ssize(owners));
  return {.rows = rows.slice(0, 0, n).contiguous(), .owners = {owners.begin(), owners.begin() + n}};
}

PickedPatches pick_patches(const at::Tensor& patches, std::int64_t k,
                           const PatchCoresetOptions& options, std::stop_token stop) {
  require_shape(patches, {kAnySize, kAnySize, kAnySize}, "patches [T,N,D]");
  CADENZA_REQUIRE(k >= 1 && patches.numel() > 0, ErrorCode::kInvalidArgument,
                  "patches: expected at least one, and to keep at least one, got ", patches.sizes(),
                  " and ", k);
  const auto rows = patches.reshape({-1, patches.size(2)}).contiguous();
  k = std::min(k, rows.size(0));
  std::vector<std::int64_t> picked;
  if (options.sampler == PatchSampler::kExact) {
    picked = select_coreset(rows, k, {}, stop);
  } else {
    const auto start = Rng(options.seed, cat("start rows ", options.stream))
                           .sample_sorted(rows.size(0), options.n_start_rows);
    const auto found =
        select_projected_coreset(rows, random_projection(options, rows.size(1)), start, k, stop);
    picked.assign(found.const_data_ptr<std::int64_t>(),
                  found.const_data_ptr<std::int64_t>() + found.numel());
  }
  PickedPatches result{.rows = rows.index_select(0, at::tensor(picked, at::kLong)).contiguous(),
                       .owners = {}};
  for (const auto row : picked) {
    result.owners.push_back(static_cast<std::int32_t>(row / patches.size(1)));
  }
  return result;
}

at::Tensor left_out_distances(const PickedPatches& picked, const at::Tensor& patches) {
  require_shape(patches, {kAnySize, kAnySize, picked.rows.size(1)}, "patches [T,N,D]");
  const PackedBank bank(picked.rows);
  const auto n_patches = patches.size(1);
  const auto queries = patches.contiguous();
  auto distances = at::empty({patches.size(0), n_patches}, at::kFloat);
  std::vector<std::int32_t> entries(static_cast<std::size_t>(n_patches));
  const auto size = static_cast<std::size_t>(n_patches * patches.size(2));
  for (std::int64_t image = 0; image < patches.size(0); ++image) {
    bank.search_without(
        static_cast<std::int32_t>(image), picked.owners,
        {queries.const_data_ptr<float>() + image * static_cast<std::int64_t>(size), size},
        {distances.mutable_data_ptr<float>() + image * n_patches,
         static_cast<std::size_t>(n_patches)},
        entries);
  }
  return distances;
}

}  // namespace cadenza
