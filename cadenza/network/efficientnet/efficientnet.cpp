#include "cadenza/network/efficientnet/efficientnet.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "cadenza/base/error.h"

namespace cadenza {

namespace {

struct Stage {
  int expand, kernel, stride, channels, repeats;
};
constexpr std::array<Stage, 7> kStages{{{1, 3, 1, 16, 1},
                                        {6, 3, 2, 24, 2},
                                        {6, 5, 2, 40, 2},
                                        {6, 3, 2, 80, 3},
                                        {6, 5, 1, 112, 3},
                                        {6, 5, 2, 192, 4},
                                        {6, 3, 1, 320, 1}}};
constexpr float kEpsilon = 1e-3F;

/// TensorFlow's SAME padding: the odd pixel goes to the bottom and the right.
Pads same_pads(const Shape& x, int kernel, int stride) {
  const auto total = [&](std::int64_t size) {
    const auto out = (size + stride - 1) / stride;
    return static_cast<int>(std::max<std::int64_t>((out - 1) * stride + kernel - size, 0));
  };
  const int down = total(x[2]), across = total(x[3]);
  return {down / 2, across / 2, down - down / 2, across - across / 2};
}

/// The nearest multiple of 8 that is at least 8 and not more than a tenth below.
std::int64_t scaled_channels(double channels) {
  auto rounded = std::max<std::int64_t>(8, static_cast<std::int64_t>(channels + 4) / 8 * 8);
  if (static_cast<double>(rounded) < 0.9 * channels) rounded += 8;
  return rounded;
}

/// Records one network; a member a part of it.
class Description {
 public:
  Description(const EfficientNetSpec& spec, const GraphRequest& request)
      : spec_(spec), request_(request), taps_(g_, request) {}

  Graph describe() {
    const auto stem = spec_.lite ? 32 : scaled_channels(32 * spec_.width);
    auto x = activate(unit(image_input(g_, request_), "_conv_stem", "_bn0", stem, 3, 2, 1));
    x = taps_.offer("stem", x);
    int flat_block = 0;
    for (int stage = 0; stage < spec_.n_stages; ++stage) {
      const int n_blocks = repeats(stage);
      for (int block = 0; block < n_blocks; ++block, ++flat_block) {
        x = this->block(x, stage, block, "_blocks." + std::to_string(flat_block) + ".");
        x = taps_.offer("s" + std::to_string(stage + 1) + "b" + std::to_string(block + 1), x);
      }
      x = taps_.offer("stage." + std::to_string(stage + 1), x);
    }
    const auto head = spec_.lite ? 1280 : scaled_channels(1280 * spec_.width);
    x = taps_.offer("head", activate(unit(x, "_conv_head", "_bn1", head, 1, 1, 1)));
    x = taps_.offer("pooled", g_.global_mean(x));
    taps_.offer("logits", linear(g_, x, "_fc", spec_.n_classes));
    taps_.finish();
    return std::move(g_);
  }

 private:
  using EditKernel = std::function<GraphValue(GraphValue)>;

  int repeats(int stage) const {
    const bool fixed = spec_.lite && (stage == 0 || stage + 1 == static_cast<int>(kStages.size()));
    const double n = kStages[stage].repeats;
    return static_cast<int>(fixed ? n : std::ceil(n * spec_.depth));
  }

  GraphValue activate(GraphValue x) {
    return g_.activate(x, spec_.lite ? ActivationKind::kRelu6 : ActivationKind::kSilu);
  }

  GraphValue unit(GraphValue x, const std::string& conv, const std::string& norm,
                  std::int64_t channels, int kernel, int stride, std::int64_t groups,
                  const EditKernel& edit_kernel = {}) {
    return conv_bn(g_, x,
                   {.conv = conv,
                    .norm = norm,
                    .channels = channels,
                    .kernel = kernel,
                    .stride = stride,
                    .pads = same_pads(g_.shape(x), kernel, stride),
                    .groups = groups,
                    .epsilon = kEpsilon},
                   edit_kernel);
  }

  /// Each channel is gated by a two-layer function of all channels' means.
  GraphValue squeeze_excite(GraphValue x, const std::string& name, std::int64_t n_squeezed) {
    const auto channels = g_.shape(x)[1];
    const auto mean = g_.reshape(g_.global_mean(x), {kBatch, channels, 1, 1});
    const auto squeezed = activate(conv_bias(g_, mean, name + "_se_reduce", n_squeezed, 1, {}));
    const auto gate = conv_bias(g_, squeezed, name + "_se_expand", channels, 1, {});
    return g_.mul(x, g_.activate(gate, ActivationKind::kSigmoid));
  }

  GraphValue block(GraphValue x, int stage, int block, const std::string& name) {
    const auto& row = kStages[stage];
    const auto unscaled = row.channels * spec_.channels_of_stage_one / kStages[0].channels;
    const auto channels = scaled_channels(static_cast<double>(unscaled) * spec_.width);
    const auto n_in = g_.shape(x)[1], n_mid = n_in * row.expand;
    const int stride = block == 0 ? row.stride : 1;
    const InjectionSite site{"s" + std::to_string(stage + 1) + "b" + std::to_string(block + 1),
                             stage + 1,
                             block + 1,
                             g_.shape(x),
                             {n_mid, 1, row.kernel, row.kernel}};
    const auto& inject = request_.injection;
    if (inject.block_input) x = inject.block_input(g_, site, x);
    const auto skip = x;
    if (row.expand != 1) {
      x = activate(unit(x, name + "_expand_conv", name + "_bn0", n_mid, 1, 1, 1));
    }
    EditKernel edit;
    if (inject.kernel) {
      edit = [&](GraphValue kernel) { return inject.kernel(g_, site, kernel); };
    }
    x = activate(
        unit(x, name + "_depthwise_conv", name + "_bn1", n_mid, row.kernel, stride, n_mid, edit));
    if (!spec_.lite) x = squeeze_excite(x, name, std::max<std::int64_t>(1, n_in / 4));
    x = unit(x, name + "_project_conv", name + "_bn2", channels, 1, 1, 1);
    return stride == 1 && n_in == channels ? g_.add(x, skip) : x;
  }

  const EfficientNetSpec& spec_;
  const GraphRequest& request_;
  Graph g_;
  TapCollector taps_;
};

}  // namespace

Graph describe_efficientnet(const EfficientNetSpec& spec, GraphRequest request) {
  if (request.height_px == 0) request.height_px = spec.size_px;
  if (request.width_px == 0) request.width_px = spec.size_px;
  return Description(spec, request).describe();
}

}  // namespace cadenza
