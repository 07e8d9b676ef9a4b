#pragma once

#include <array>
#include <cstdint>

namespace cadenza {

/// The 95 % interval of a share of which `count` in `n` were seen (Clopper and Pearson, 1934): the
/// shares under which so few, and so many, have a probability of at least 2.5 % each.
/// Accuracy 1e-12. Errors: kInvalidArgument unless n >= 1 and 0 <= count <= n.
std::array<double, 2> share_interval(std::int64_t count, std::int64_t n);

}  // namespace cadenza
