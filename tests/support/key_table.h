#pragma once

#include <cstdint>
#include <string>

#include "cadenza/checkpoint/checkpoint.h"

namespace cadenza {

/// What a checkpoint holds, for comparing with another program's: "NAME SIZExSIZE\n" by name.
struct KeyTable {
  std::string lines;
  std::int64_t n_numbers = 0;
};

inline KeyTable key_table(const Checkpoint& checkpoint) {
  KeyTable table;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    std::int64_t n = 1;
    std::string sizes;
    for (const auto size : tensor.shape) {
      n *= size;
      sizes += (sizes.empty() ? "" : "x") + std::to_string(size);
    }
    table.n_numbers += n;
    table.lines += name + ' ' + sizes + '\n';
  }
  return table;
}

}  // namespace cadenza
