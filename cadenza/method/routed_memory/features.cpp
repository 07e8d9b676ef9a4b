#include "cadenza/method/routed_memory/features.h"

#include <algorithm>
#include <span>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/tensor/rows.h"

namespace cadenza::routed_memory {
namespace {

std::span<const float> values_of(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

std::vector<std::string> all_taps(const std::vector<std::string>& layers,
                                  const std::vector<std::string>& map_layers) {
  std::vector<std::string> taps;
  for (const auto* names : {&map_layers, &layers}) {
    for (const auto& name : *names) {
      if (std::ranges::find(taps, name) == taps.end()) taps.push_back(name);
    }
  }
  return taps;
}

FeatureRequest with_taps(FeatureRequest request, std::vector<std::string> taps) {
  request.taps = std::move(taps);
  return request;
}

/// [C,h,w] -> [h*w,C]
at::Tensor cells_of(const at::Tensor& feature) {
  const auto planes = feature.contiguous();
  auto cells = at::empty({planes.size(1) * planes.size(2), planes.size(0)}, at::kFloat);
  planes_to_rows(values_of(planes), planes.size(0),
                 {cells.mutable_data_ptr<float>(), static_cast<std::size_t>(cells.numel())});
  return cells;
}

at::Tensor of_unit_length(const at::Tensor& cells) {
  auto unit = at::empty_like(cells);
  to_unit_length(values_of(cells), cells.size(1),
                 {unit.mutable_data_ptr<float>(), static_cast<std::size_t>(unit.numel())});
  return unit;
}

}  // namespace

FeatureReader::FeatureReader(FeatureRequest request, const std::vector<std::string>& layers,
                             const std::vector<std::string>& map_layers,
                             const NetworkEnvironment& environment)
    : extractor_(with_taps(std::move(request), all_taps(layers, map_layers)), environment) {
  CADENZA_REQUIRE(!layers.empty(), ErrorCode::kInvalidArgument,
                  "option 'layers': expected at least one tap of the network, found none");
  const auto& taps = extractor_.taps();
  const auto place = [&](const std::string& name) {
    const auto tap = std::ranges::find(taps, name, &TapInfo::name);
    CADENZA_REQUIRE(tap->shape.size() == 4, ErrorCode::kInvalidArgument, "tap '", name,
                    "' has no grid of cells: ", to_string(tap->shape),
                    "; `cadenza networks` lists those that have one");
    views_.grid_height = std::max(views_.grid_height, tap->shape[2]);
    views_.grid_width = std::max(views_.grid_width, tap->shape[3]);
    return static_cast<std::size_t>(tap - taps.begin());
  };
  for (const auto& name : layers) {
    tap_of_layer_.push_back(place(name));
    views_.layers.push_back(taps[tap_of_layer_.back()]);
  }
  for (const auto& name : map_layers) {
    tap_of_map_layer_.push_back(place(name));
    views_.map_layers.push_back(taps[tap_of_map_layer_.back()]);
  }
}

std::vector<ImageFeatures> FeatureReader::read(const at::Tensor& images,
                                               const std::vector<std::string>& digests) const {
  const auto outputs =
      digests.empty() ? extractor_.extract(images) : extractor_.extract(images, digests);
  std::vector<ImageFeatures> all(static_cast<std::size_t>(images.size(0)));
  for (std::size_t image = 0; image < all.size(); ++image) {
    auto& features = all[image];
    std::vector<at::Tensor> raw(outputs.size()), unit(outputs.size());
    const auto cells = [&](std::vector<at::Tensor>& made, std::size_t tap, const auto& make) {
      if (!made[tap].defined()) {
        made[tap] = make();
        features.n_bytes += made[tap].nbytes();
      }
      return made[tap];
    };
    const auto raw_cells = [&](std::size_t tap) {
      return cells(raw, tap, [&] {
        auto values = cells_of(outputs[tap][static_cast<std::int64_t>(image)]);
        CADENZA_REQUIRE(all_finite(values_of(values)), ErrorCode::kNumeric, "image ", image,
                        " of the batch: the network's '", extractor_.taps()[tap].name,
                        "' holds a value that is not finite");
        return values;
      });
    };
    const auto unit_cells = [&](std::size_t tap) {
      return cells(unit, tap, [&] { return of_unit_length(raw_cells(tap)); });
    };
    for (const auto tap : tap_of_layer_) features.layers.push_back(unit_cells(tap));
    for (const auto tap : tap_of_map_layer_) {
      features.map_layers.push_back(features.map_layers.empty() ? raw_cells(tap) : unit_cells(tap));
    }
  }
  return all;
}

}  // namespace cadenza::routed_memory
