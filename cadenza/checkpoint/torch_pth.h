#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "cadenza/checkpoint/checkpoint.h"

namespace cadenza {

// What torch.save writes. Since 1.6 a zip archive: NAME/data.pkl, the pickled object, whose tensors
// name storages NAME/data/KEY. Before that one stream: the pickles of a magic number, the protocol
// version, facts on the machine, the object and the list of storage keys; then for each key the
// number of elements (8 bytes) and the elements.

/// Maps the file and reads it without running anything (see unpickle.h): packed tensors are used
/// where they lie, strided ones are packed into buffers. A tensor inside nested dictionaries and
/// lists is named by the keys on the way, joined by dots; other values are left out.
/// Errors   kNotFound, kIo; those of ZipArchive and unpickle(); kCorruptData naming the tensor: a
///          storage that is not there or of another length, elements outside it, a name twice;
///          kUnsupported: TorchScript, big-endian files, the tar format of PyTorch 0.1, a tensor
///          that repeats its elements (expand).
Checkpoint read_torch_pth(const std::filesystem::path& path);

/// The same of bytes in memory, which `owner` keeps (may be null: then the caller does).
Checkpoint read_torch_pth(std::span<const std::byte> bytes, std::string_view name,
                          std::shared_ptr<const void> owner);

/// True if the bytes begin as the older of the two formats does.
bool is_legacy_torch(std::span<const std::byte> bytes) noexcept;

}  // namespace cadenza
