#include "cadenza/network/description.h"

#include <algorithm>

#include "cadenza/base/error.h"
#include "cadenza/base/suggest.h"

namespace cadenza {

GraphValue TapCollector::offer(const std::string& name, GraphValue x) {
  if (request_.offered != nullptr) {
    const auto& shape = graph_.shape(x);
    const bool is_grid = shape.size() == 4;
    request_.offered->push_back({name, shape, is_grid ? shape[1] : shape.back(),
                                 is_grid ? request_.height_px / shape[2] : 0});
  }
  if (request_.start_after == name) {
    first_ = offered_.size();
    x = graph_.input(name, graph_.shape(x));
  }
  offered_.emplace_back(name, x);
  return x;
}

void TapCollector::finish() {
  std::vector<std::string> known;
  for (const auto& [name, value] : offered_) known.push_back(name);
  const auto place = [&](const std::string& name) {
    const auto found = std::ranges::find(known, name);
    CADENZA_REQUIRE(found != known.end(), ErrorCode::kNotFound,
                    unknown_name_message("tap", name, known));
    return static_cast<std::size_t>(found - known.begin());
  };
  if (!request_.start_after.empty()) place(request_.start_after);
  for (const auto& name : request_.taps) {
    const auto index = place(name);
    CADENZA_REQUIRE(index >= first_, ErrorCode::kInvalidArgument, "tap '", name, "' lies before '",
                    request_.start_after, "', where the graph starts");
    graph_.output(name, offered_[index].second);
  }
  graph_.prune();
}

GraphValue image_input(Graph& g, const GraphRequest& request) {
  const auto height = request.height_px, width = request.width_px;
  if (!request.bytes_in) return g.input("image", {kBatch, 3, height, width});
  const auto bytes = g.input("image", {kBatch, height, width, 3}, ElementType::kU8);
  const auto planes = g.permute(g.to_float(bytes), {0, 3, 1, 2});
  const auto per_channel = [&](const std::array<float, 3>& values) {
    std::vector<GraphValue> parts;
    for (const auto value : values) parts.push_back(g.reshape(g.scalar(value), {1}));
    return g.reshape(g.concat(parts, 0), {1, 3, 1, 1});
  };
  std::array<float, 3> mean = request.mean, scale = request.stddev;
  for (auto& value : mean) value *= 255;
  for (auto& value : scale) value = 1 / (255 * value);
  return g.mul(g.sub(planes, per_channel(mean)), per_channel(scale));
}

GraphValue conv_bn(Graph& g, GraphValue x, const ConvBn& how,
                   const std::function<GraphValue(GraphValue)>& edit_kernel) {
  const auto channels = how.channels;
  auto kernel = g.weight(how.conv + ".weight",
                         {channels, g.shape(x)[1] / how.groups, how.kernel, how.kernel});
  if (edit_kernel) kernel = edit_kernel(kernel);
  const auto gain = g.weight(how.norm + ".weight", {channels}, WeightInit::kOne);
  const auto bias = g.weight(how.norm + ".bias", {channels});
  const auto mean = g.weight(how.norm + ".running_mean", {channels});
  const auto variance = g.weight(how.norm + ".running_var", {channels}, WeightInit::kVariance);
  const auto scale = g.mul(gain, g.rsqrt(g.add(variance, g.scalar(how.epsilon))));
  const auto folded = g.mul(kernel, g.reshape(scale, {channels, 1, 1, 1}));
  const auto shift = g.sub(bias, g.mul(mean, scale));
  return g.conv(x, folded, shift, {.stride = how.stride, .pads = how.pads, .groups = how.groups});
}

GraphValue conv_bias(Graph& g, GraphValue x, const std::string& name, std::int64_t channels,
                     int kernel, op::Conv how,
                     const std::function<GraphValue(GraphValue)>& edit_kernel) {
  auto w = g.weight(name + ".weight", {channels, g.shape(x)[1] / how.groups, kernel, kernel});
  if (edit_kernel) w = edit_kernel(w);
  return g.conv(x, w, g.weight(name + ".bias", {channels}), how);
}

GraphValue linear(Graph& g, GraphValue x, const std::string& name, std::int64_t channels) {
  const auto w = g.weight(name + ".weight", {channels, g.shape(x).back()});
  return g.linear(x, w, g.weight(name + ".bias", {channels}));
}

GraphValue layer_norm(Graph& g, GraphValue x, const std::string& name, float epsilon) {
  const auto channels = g.shape(x).back();
  const auto gain = g.weight(name + ".weight", {channels}, WeightInit::kOne);
  return g.layer_norm(x, gain, g.weight(name + ".bias", {channels}), epsilon);
}

}  // namespace cadenza
