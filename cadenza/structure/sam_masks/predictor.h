#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <ATen/core/Tensor.h>

#include "cadenza/image/image.h"
#include "cadenza/network/engine.h"
#include "cadenza/network/environment.h"
#include "cadenza/network/sam/sam.h"
#include "cadenza/structure/mask/resample.h"

namespace cadenza {

struct SamRequest {
  std::string network = "sam_vit_b";  ///< or sam_vit_l, sam_vit_h
  std::string weights;                ///< as load_weights(): "", "random:7", a file
  std::string precision = "f32";      ///< auto, f32 or bf16, see pick_precision()
};

/// Segment Anything on one picture: looked at once, then asked about points.
///
/// Runs on LibTorch, also on the CPU: the decoder is ten times faster there than on OpenVINO.
/// Threads  const members from any thread.
class SamPredictor {
 public:
  /// Errors: kNotFound (no such network; its weights), those of load_weights() and make_engine().
  SamPredictor(const SamRequest& request, const NetworkEnvironment& environment);

  /// A picture as the network knows it.
  struct Picture {
    at::Tensor embedding;
    std::int64_t height_px, width_px;            ///< of the picture
    std::int64_t used_height_px, used_width_px;  ///< of its part of the network's square
  };
  /// Pillow's bilinear resize of the longer side to the network's size, ImageNet statistics, zeros
  /// below or to the right. Grey is repeated.
  /// Errors   kInvalidArgument: an empty picture.
  /// Cost     the image encoder: 0.48 (ViT-B) to 2.9 (ViT-H) TMAC.
  Picture look(const Image& image) const;

  struct Point {
    double x = 0, y = 0;  ///< in pixels of the picture
  };
  struct Answer {
    at::Tensor masks;  ///< [n,3,m,m] logits; the network's own resolution, its padding included
    at::Tensor iou;    ///< [n,3] what quality the network expects
  };
  /// Three masks for each point alone.
  /// Cost     1.8 GMAC a point; memory for 8 of them (256 on a GPU) whatever n is, 25 MB each, and
  ///          0.8 MB a point for the answer.
  Answer ask(const Picture& picture, std::span<const Point> points) const;

  /// From the masks of ask() to pixels of the picture.
  LogitResampler resampler(const Picture& picture) const;

  /// Of network, weights and engine.
  std::string fingerprint() const { return encoder_->fingerprint(); }

 private:
  SamSpec spec_;
  std::unique_ptr<Engine> encoder_, decoder_;
  at::Tensor positions_;
  std::int64_t points_at_once_ = 1;
};

}  // namespace cadenza
