#pragma once

#include <vector>

#include "cadenza/network/description.h"

namespace cadenza {

struct ConvnextSpec {
  std::vector<int> depths{3, 3, 27, 3};
  std::vector<std::int64_t> widths{128, 256, 512, 1024};
  std::int64_t size_px = 224;
  std::int64_t n_classes = 1000;
};

/// Source   Liu et al., "A ConvNet for the 2020s", CVPR 2022. Weight names are timm's.
/// Taps     stem, downsample.2 .. downsample.4 (what enters that stage), sKbI, stage.1 .. stage.4,
///          pooled (after the head's norm), logits.
Graph describe_convnext(const ConvnextSpec& spec, GraphRequest request);

}  // namespace cadenza
