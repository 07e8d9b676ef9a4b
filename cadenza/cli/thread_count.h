#pragma once

#include <cstdint>

namespace cadenza {

/// `wanted`, or when that is 0 the processors that this process may use: its affinity mask and the
/// CPU quota of its control group, whichever is smaller; at least 1.
int thread_count(std::int64_t wanted);

}  // namespace cadenza
