#pragma once

#include <deque>
#include <map>
#include <string>

#include "cadenza/base/bytes.h"
#include "cadenza/checkpoint/pickle_value.h"

namespace cadenza {

struct PickleLimits {
  std::uint64_t n_values = 1 << 22;
};

struct Unpickled {
  std::deque<PickleValue> values;
  PickleRef root = nullptr;
  std::map<std::string, PickleStorage> storages;  ///< by key: all that tensors may lie in
};

/// Reads one pickle (protocols 2 to 5) and leaves `reader` behind its STOP.
///
/// A pickle is a program for a stack machine. This one has its plain instructions and none that
/// runs anything: a name that the program wants to import must be on the allow-list of
/// torch_object.h, and what it "calls" are our own functions for those few names.
///
/// Errors   each names the pickle and the offset. kUnsupported: a name that is not allowed, an
///          instruction that checkpoints do not use. kCorruptData: a stack that is too short, a
///          memo that was never written, values of the wrong kind, a program without end.
///          kLimitExceeded: more values than the limit.
/// Cost     linear in the bytes read.
Unpickled unpickle(ByteReader& reader, const PickleLimits& limits = {});

}  // namespace cadenza
