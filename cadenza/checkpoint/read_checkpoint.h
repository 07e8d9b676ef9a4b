#pragma once

#include <filesystem>

#include "cadenza/checkpoint/checkpoint.h"

namespace cadenza {

/// A .safetensors, .pth, .pt or .npz file, told by its content, not by its name. Arrays of texts in
/// an .npz are left out. Errors: those of the four readers; kUnsupported for any other content.
Checkpoint read_checkpoint(const std::filesystem::path& path);

/// The state_dict of a training checkpoint: when names begin with one of the usual wrappers
/// ("state_dict.", "model."; "module." inside), those alone, without it. A checkpoint that has
/// none comes back as it is.
Checkpoint unwrap_state_dict(Checkpoint checkpoint);

}  // namespace cadenza
