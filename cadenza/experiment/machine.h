#pragma once

#include <cstdint>
#include <optional>

#include "cadenza/base/json.h"
#include "cadenza/method/method.h"

namespace cadenza {

/// Largest resident memory of this process so far, in bytes (VmHWM); absent where the system does
/// not tell.
std::optional<std::int64_t> peak_resident_bytes();

/// {"cadenza": "0.1.0 (git abc1234)", "cpu": name, "threads": n, "torch": version, "openvino":
/// version, "started": UTC now}
Json describe_machine(int n_threads);

/// {"name", "digest": of the fingerprint, "engine", "precision", "fingerprint"}; null where the
/// method has no network or its fingerprint does not tell.
Json describe_network(const MethodInfo& info);

}  // namespace cadenza
