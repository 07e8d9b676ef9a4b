#pragma once

#include "cadenza/network/description.h"

namespace cadenza {

struct VitSpec {
  std::int64_t width = 768;
  int depth = 12;
  int n_heads = 12;
  int patch_px = 16;
  std::int64_t size_px = 224;  ///< the image its position embedding was trained on
  std::int64_t n_classes = 1000;
};

/// Source   Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021. Weight names are
/// timm's. Differs  from timm at another image size: the position embedding is resized bicubically
/// without
///          antialiasing, inside the graph. Any height and width that are multiples of the patch.
/// Taps     embedding [B,1+h*w,C], what enters block 0; block.I (patches as a grid [B,C,h,w]),
///          cls.I [B,C], tokens.I [B,1+h*w,C], each of the raw output of block I from 0; then norm
///          (tokens after the final norm), pooled = pre_logits (the class token of norm), logits.
/// Errors   kInvalidArgument: the image is no multiple of the patch; more prefixed blocks than
///          there are.
Graph describe_vit(const VitSpec& spec, GraphRequest request);

}  // namespace cadenza
