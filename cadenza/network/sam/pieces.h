#pragma once

#include <string>

#include "cadenza/network/sam/sam.h"

namespace cadenza::sam {

/// The upstream LayerNorm2d: over the channels of [B,C,h,w].
GraphValue norm_channels(Graph& g, GraphValue x, const std::string& name);

GraphValue encode_image(Graph& g, const SamSpec& spec, GraphValue image, TapCollector& taps);

/// points [B,n,2] -> [B,n,C].
GraphValue fourier_positions(Graph& g, const SamSpec& spec, GraphValue points);
GraphValue encode_points(Graph& g, const SamSpec& spec, GraphValue points, GraphValue kinds);
GraphValue encode_mask(Graph& g, const SamSpec& spec, GraphValue mask);
/// [1,C,1,1]: what stands for an absent mask.
GraphValue no_mask(Graph& g, const SamSpec& spec);

struct DecodedMasks {
  GraphValue masks, iou;
};
/// embedding [1 or B,C,h,w], positions [1,h*w,C], sparse [B,n,C] (may be absent), dense broadcast
/// over embedding.
DecodedMasks decode_masks(Graph& g, const SamSpec& spec, GraphValue embedding, GraphValue positions,
                          GraphValue sparse, GraphValue dense);

}  // namespace cadenza::sam
