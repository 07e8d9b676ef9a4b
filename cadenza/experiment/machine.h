#pragma once

#include <cstdint>
#include <optional>

#include "cadenza/base/json.h"

namespace cadenza {

/// Largest resident memory of this process so far, in bytes (VmHWM); absent where the system does
/// not tell.
std::optional<std::int64_t> peak_resident_bytes();

/// {"cadenza": version, "cpu": name, "threads": n, "torch": version, "started": UTC now}
Json describe_machine(int n_threads);

}  // namespace cadenza
