#pragma once

#include <vector>

#include "cadenza/network/description.h"

namespace cadenza {

struct ResnetSpec {
  std::vector<int> depths{3, 4, 6, 3};
  bool bottleneck = true;  ///< 1x1, 3x3, 1x1 with four times the channels; else two 3x3
  int stem_channels = 64;
  int inner_channels = 64;  ///< of the 3x3 in stage 1 (128: "wide"), doubled each stage
  std::int64_t size_px = 224;
  std::int64_t n_classes = 1000;
};

/// Source   He et al., "Deep Residual Learning for Image Recognition", CVPR 2016; wide:
///          Zagoruyko and Komodakis, BMVC 2016. Weight names are torchvision's and timm's.
/// Differs  from the paper as torchvision does: the stride sits on the 3x3 of a bottleneck.
/// Taps     stem (after the pool), sKbI, stage.1 .. stage.4, pooled, logits.
Graph describe_resnet(const ResnetSpec& spec, GraphRequest request);

}  // namespace cadenza
