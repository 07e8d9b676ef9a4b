#pragma once

#include "cadenza/checkpoint/checkpoint.h"
#include "cadenza/network/vit/vit.h"

namespace cadenza {

/// Checkpoints of google-research/vision_transformer (.npz: original in21k, augreg, the SAM
/// optimiser's; names bare, or below `opt/target/` or `params/`) in timm's names and layouts; a
/// checkpoint that has timm's keeps them. A position embedding of another square grid is resized to
/// that of `spec`: the class token's place stays, the grid goes through a bicubic filter (a =
/// -0.75, half-pixel centres, no antialiasing), as timm 0.6 did.
Checkpoint translate_vit(const VitSpec& spec, const Checkpoint& published);

}  // namespace cadenza
