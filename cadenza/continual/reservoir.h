#pragma once

#include <cstdint>
#include <functional>
#include <optional>

namespace cadenza {

/// Where the next item of a stream goes in a reservoir, so that after n items each of them is kept
/// with probability capacity / n: item k (from 0) takes slot k while there is room, afterwards slot
/// r if r = below(k + 1) is one of the reservoir's.
///
/// Returns  the slot, or nothing when the item is not kept.
/// Source   Vitter, "Random Sampling with a Reservoir", TOMS 1985, algorithm R.
std::optional<std::int64_t> reservoir_slot(
    std::int64_t n_seen, std::int64_t capacity,
    const std::function<std::int64_t(std::int64_t n)>& below);

}  // namespace cadenza
