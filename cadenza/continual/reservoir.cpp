#include "cadenza/continual/reservoir.h"

namespace cadenza {

std::optional<std::int64_t> reservoir_slot(
    std::int64_t n_seen, std::int64_t capacity,
    const std::function<std::int64_t(std::int64_t n)>& below) {
  if (n_seen < capacity) return n_seen;
  const auto slot = below(n_seen + 1);
  return slot < capacity ? std::optional(slot) : std::nullopt;
}

}  // namespace cadenza
