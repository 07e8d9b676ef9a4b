#pragma once

#include <cstdint>
#include <string>

#include "cadenza/checkpoint/pickle_value.h"

namespace cadenza {

// All that a checkpoint may make besides plain values: tensors, storages, ordered dictionaries,
// sizes, devices, types, and the numpy scalars that training scripts leave in them.

/// "torch.FloatStorage" and so on. Errors: kUnsupported naming the global and the way out.
PickleGlobal allowed_global(const std::string& module, const std::string& name);

/// What a call of `function` with `arguments` stands for. `n_copies` is lowered by the items that
/// are copied for it. Errors: kCorruptData (arguments of the wrong kind or number), kUnsupported,
/// kLimitExceeded.
PickleValue call_global(const PickleGlobal& function, const PickleTuple& arguments,
                        std::uint64_t& n_copies);

/// Python's __setstate__: nothing that we keep, on the few kinds that have it.
/// Errors: kCorruptData on any other.
void set_state(const PickleValue& object);

/// ('storage', type, key, place, number of elements). Errors: kCorruptData, kUnsupported.
PickleStorage storage_of(const PickleValue& persistent_id);

}  // namespace cadenza
