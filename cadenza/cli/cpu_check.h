#pragma once

namespace cadenza {

/// What this processor lacks of what Cadenza is compiled for ("AVX2, FMA"), or nothing.
const char* missing_cpu_features() noexcept;

}  // namespace cadenza
