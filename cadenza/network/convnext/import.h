#pragma once

#include "cadenza/checkpoint/checkpoint.h"

namespace cadenza {

/// The names of Meta's own checkpoints (`downsample_layers.1.0`, `stages.2.5.pwconv1`) to timm's. A
/// checkpoint that has timm's stays as it is.
Checkpoint translate_convnext(const Checkpoint& published);

}  // namespace cadenza
