#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "cadenza/tensor/state.h"

namespace cadenza {

/// A state piece as the bytes of a safetensors file: tensors in the order of their names, texts in
/// __metadata__. Equal pieces give equal bytes (docs/formats/state.md).
/// Errors   kInvalidArgument: a tensor that is not on the CPU or of a type safetensors lacks.
std::vector<std::byte> write_state_file(const StatePiece& piece);

/// Errors   kCorruptData naming `name` where lengths, types or the header contradict each other.
StatePiece read_state_file(std::span<const std::byte> bytes, std::string_view name);

}  // namespace cadenza
