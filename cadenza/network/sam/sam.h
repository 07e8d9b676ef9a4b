#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cadenza/network/description.h"

namespace cadenza {

/// Segment Anything: an image encoder that runs once an image, and a prompt encoder and mask
/// decoder that run once a prompt. The defaults are ViT-B; names of weights are those of the
/// published checkpoints (sam_vit_b_01ec64.pth and its two sisters).
///
/// Source   Kirillov et al., "Segment Anything", ICCV 2023, appendix A.
struct SamSpec {
  std::int64_t width = 768;  ///< of the image encoder's tokens
  int depth = 12;
  int n_heads = 12;
  std::vector<int> global_blocks{2, 5, 8, 11};  ///< see the whole grid; the others, windows
  std::int64_t window = 14;
  int patch_px = 16;
  std::int64_t size_px = 1024;
  std::int64_t embedding = 256;  ///< channels of the image embedding and of prompts
  int decoder_heads = 8;
  std::int64_t decoder_hidden = 2048;

  std::int64_t grid() const { return size_px / patch_px; }  ///< cells on a side
  std::int64_t mask_px() const { return 4 * grid(); }       ///< side of the decoder's masks
};

SamSpec sam_vit_b();
SamSpec sam_vit_l();
SamSpec sam_vit_h();
/// A tiny one for tests: 72 px, windows of 4 on a grid of 9.
SamSpec sam_test();
/// By the name of the registered network. Errors: kNotFound naming the four.
SamSpec find_sam(std::string_view name);

/// The whole network: an image and one prompt of it. What most callers want is the tap `embedding`,
/// with which all but the image encoder is left out; prompts then go through
/// describe_sam_decoder().
///
/// Inputs   of the last three taps, beside the image: places [1,h*w,2], the centres of the grid's
///          cells in [0,1]; points and kinds, see describe_sam_decoder(), two a prompt; mask
///          [B,1,4h,4w] and has_mask [B,1,1,1], 1 where the mask counts, else 0.
/// Taps     block.I (its output as a grid [B,C,h,w]), embedding [B,256,h,w]; sparse, masks, iou.
/// Errors   kInvalidArgument: another image size than size_px, or prefix prompts.
/// Differs  in nothing; the relative positions of global attention are added a few rows at a time,
///          so that 4096 x 4096 logits a head never exist at once.
Graph describe_sam(const SamSpec& spec, GraphRequest request);

/// What a point of a prompt is, in the order of the columns of the input `kinds`.
enum class SamPoint { kNone, kBackground, kForeground, kTopLeft, kBottomRight };
inline constexpr std::int64_t kSamPointKinds = 5;

struct SamPrompt {
  std::int64_t n_points = 2;  ///< points and box corners, the padding point included; may be 0
  bool with_mask = false;     ///< an earlier mask comes with the prompt
};

/// Prompt encoder and mask decoder as one graph; axis 0 is the prompt, of one image.
///
/// Inputs   embedding [1,256,h,w]; positions [1,h*w,256], see describe_sam_positions(); where there
///          are points, points [B,n,2], x and y in [0,1] of the padded square, and kinds [B,n,5],
///          one-hot, see SamPoint; with_mask: mask [B,1,4h,4w] logits.
/// Outputs  sparse [B,n,256] where there are points, dense [B or 1,256,h,w], masks [B,4,4h,4w]
///          logits (the first one for prompts that are not ambiguous, the others the three of an
///          ambiguous one), iou [B,4], the quality the network expects of each.
/// Differs  in nothing; what all prompts share in the first layer is computed once.
Graph describe_sam_decoder(const SamSpec& spec, const SamPrompt& prompt);

/// Fourier features of places: points [B,n,2] in [0,1] -> positions [B,n,256].
Graph describe_sam_positions(const SamSpec& spec, std::int64_t n_points);

/// describe_sam() with its last taps: every weight of a checkpoint has its place in it.
Graph describe_sam_whole(const SamSpec& spec);

}  // namespace cadenza
