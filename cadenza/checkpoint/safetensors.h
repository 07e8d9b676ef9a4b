#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "cadenza/checkpoint/checkpoint.h"

namespace cadenza {

// A safetensors file: 8 bytes, little-endian, the length of the header; the header, a JSON object
// {"NAME": {"dtype": "F32", "shape": [3, 4], "data_offsets": [0, 48]}, "__metadata__": {...texts}};
// the data, to which the offsets refer. https://github.com/huggingface/safetensors

/// Maps the file: no tensor is copied, and pages are read when they are touched.
/// Errors   kNotFound, kIo; kCorruptData naming the file and the tensor: a header that is no such
///          JSON, a name twice, offsets that overlap, leave holes or leave the file, a size that is
///          not shape x type; kUnsupported for a type we do not know; kLimitExceeded for a header
///          above 10 MB. All of it before a tensor is touched or anything of its size allocated.
Checkpoint read_safetensors(const std::filesystem::path& path);

/// The same of bytes in memory, which `owner` keeps (may be null: then the caller does).
Checkpoint read_safetensors(std::span<const std::byte> bytes, std::string_view name,
                            std::shared_ptr<const void> owner);

/// Tensors in byte-wise order of their names without gaps, the header padded with spaces to a
/// multiple of 8. Equal checkpoints give equal bytes.
/// Errors   kInvalidArgument: a name or text that is not UTF-8, a tensor named "__metadata__".
std::vector<std::byte> write_safetensors(const Checkpoint& checkpoint);

}  // namespace cadenza
