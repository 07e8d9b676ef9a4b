#include "cadenza/method/dual_prompt/task_vote.h"

#include <algorithm>
#include <limits>

#include <ATen/ATen.h>

#include "cadenza/memory/patch_scores.h"

namespace cadenza::dual_prompt {
namespace {

constexpr std::int64_t kVoters = 32, kCandidates = 3;

}  // namespace

std::size_t vote(const at::Tensor& key_distances, std::span<const PackedBank* const> keys,
                 const at::Tensor& cells) {
  const auto votes = key_distances.slice(0, 0, kVoters).mean(0);
  const auto order =
      votes.argsort(/*stable=*/true, /*dim=*/0, /*descending=*/false).slice(0, 0, kCandidates);
  std::size_t chosen = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::int64_t place = 0; place < order.size(0); ++place) {
    const auto task = static_cast<std::size_t>(order[place].item<std::int64_t>());
    const auto nearest = nearest_distances(*keys[task], cells.slice(0, 0, kVoters));
    const auto score = nearest.square().amax({1}).mean().item<double>();
    if (score >= least) continue;
    least = score;
    chosen = task;
  }
  return chosen;
}

}  // namespace cadenza::dual_prompt
