#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cadenza/checkpoint/npy.h"

namespace cadenza {

/// A numpy .npz archive: arrays by their names, without ".npy".
using NpzArrays = std::map<std::string, NpyArray>;

/// Maps the file; stored arrays are used where they lie, deflated ones unpacked.
/// Errors   kNotFound, kIo; those of ZipArchive and read_npy(); kCorruptData: an entry that is no
///          array.
NpzArrays read_npz(const std::filesystem::path& path);
NpzArrays read_npz(std::span<const std::byte> bytes, std::string_view name,
                   std::shared_ptr<const void> owner);

/// Bytes that numpy.load opens; equal arrays give equal bytes. Errors: those of write_npy() and
/// write_zip().
std::vector<std::byte> write_npz(const NpzArrays& arrays);

}  // namespace cadenza
