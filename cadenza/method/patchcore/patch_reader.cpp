#include "cadenza/method/patchcore/patch_reader.h"

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/tensor/shape.h"

namespace cadenza::patchcore {

PatchReader::PatchReader(const FeatureRequest& request, std::int64_t neighbourhood,
                         const NetworkEnvironment& environment)
    : extractor_(request, environment), neighbourhood_(neighbourhood) {
  CADENZA_REQUIRE(!extractor_.taps().empty(), ErrorCode::kInvalidArgument,
                  "option 'layers': expected at least one tap of the network, found none");
  for (const auto& tap : extractor_.taps()) {
    CADENZA_REQUIRE(tap.shape.size() == 4, ErrorCode::kInvalidArgument, "tap '", tap.name,
                    "' has no grid of cells: ", to_string(tap.shape),
                    "; `cadenza networks` lists those that have one");
    dim_ += tap.channels;
  }
  rows_ = extractor_.taps()[0].shape[2];
  columns_ = extractor_.taps()[0].shape[3];
}

at::Tensor PatchReader::read(const at::Tensor& images) const {
  std::vector<at::Tensor> layers;
  for (const auto& layer : extractor_.extract(images)) {
    auto averaged = at::avg_pool2d(layer, neighbourhood_, /*stride=*/1, neighbourhood_ / 2);
    layers.push_back(at::upsample_bilinear2d(averaged, {rows_, columns_},
                                             /*align_corners=*/false));
  }
  auto patches = at::cat(layers, 1).flatten(2).transpose(1, 2).contiguous();
  CADENZA_REQUIRE(patches.isfinite().all().item<bool>(), ErrorCode::kNumeric,
                  "the network's features hold a value that is not finite");
  return patches;
}

}  // namespace cadenza::patchcore
