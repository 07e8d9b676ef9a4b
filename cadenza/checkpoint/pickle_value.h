#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cadenza/checkpoint/checkpoint.h"

namespace cadenza {

struct PickleValue;
/// Into the Unpickled that holds all values. A hostile pickle can make circles: whoever follows
/// references counts his steps.
using PickleRef = PickleValue*;

struct PickleLong {
  std::string bytes;  ///< two's complement, little-endian, more than 8 of them
};
struct PickleBytes {
  std::string value;
};
struct PickleList {
  std::vector<PickleRef> items;
};
struct PickleTuple {
  std::vector<PickleRef> items;
};
struct PickleDict {
  std::vector<std::pair<PickleRef, PickleRef>> items;
};
/// A name of Python's that is on the allow-list. Never imported, called or looked up.
struct PickleGlobal {
  std::string name;  ///< "collections.OrderedDict"
};
struct PickleStorage {
  DType dtype;
  std::string key;
  std::uint64_t n_elements;
};
struct PickleTensor {
  PickleStorage storage;
  std::int64_t offset;  ///< in elements, as the strides are
  TensorShape shape;
  std::vector<std::int64_t> strides;
};
/// Harmless and of no use to us: a set, a numpy scalar, a device.
struct PickleOpaque {};

struct PickleValue {
  std::variant<std::monostate, bool, std::int64_t, double, std::string, PickleLong, PickleBytes,
               PickleList, PickleTuple, PickleDict, PickleGlobal, PickleStorage, PickleTensor,
               PickleOpaque>
      is;
};

}  // namespace cadenza
