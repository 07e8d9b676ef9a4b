#include "cadenza/structure/sam_masks/predictor.h"

#include <algorithm>
#include <array>
#include <vector>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/image/resize.h"
#include "cadenza/network/registry.h"
#include "cadenza/tensor/picture.h"

namespace cadenza {

namespace {

using Tensors = std::vector<at::Tensor>;

constexpr std::array<float, 3> kMean{123.675F, 116.28F, 103.53F};
constexpr std::array<float, 3> kStddev{58.395F, 57.12F, 57.375F};

// A point has 4 MB of image tokens and 8 MB of planes: more of them leave a CPU's caches.
constexpr std::int64_t kCpuPoints = 8;
constexpr std::int64_t kGpuPoints = 256;

/// [1,cells,2]: x and y of the grid's cells.
at::Tensor cell_centres(std::int64_t grid) {
  const auto line = (at::arange(grid, at::kFloat) + 0.5) / grid;
  const auto y = line.unsqueeze(1).expand({grid, grid}), x = line.expand({grid, grid});
  return at::stack({x, y}, 2).reshape({1, grid * grid, 2});
}

/// The picture's sides when the longer one is `long_px`, rounded half up as the authors do.
std::array<std::int64_t, 2> fitted_size(const Image& image, std::int64_t long_px) {
  const double scale =
      static_cast<double>(long_px) / static_cast<double>(std::max(image.height_px, image.width_px));
  const auto fitted = [&](std::int64_t side) {
    return std::max<std::int64_t>(
        1, static_cast<std::int64_t>(static_cast<double>(side) * scale + 0.5));
  };
  return {fitted(image.height_px), fitted(image.width_px)};
}

}  // namespace

SamPredictor::SamPredictor(const SamRequest& request, const NetworkEnvironment& environment)
    : spec_(find_sam(request.network)) {
  const auto registry = builtin_networks();
  const auto weights = load_weights(registry.find(request.network), describe_sam_whole(spec_),
                                    environment, request.weights);
  const EngineOptions options{.kind = EngineKind::kTorch,
                              .precision = pick_precision(request.precision),
                              .n_threads = environment.n_threads,
                              .device = parse_device(environment.device)};
  points_at_once_ = options.device.is_cpu() ? kCpuPoints : kGpuPoints;
  encoder_ = make_engine(describe_sam(spec_, {.taps = {"embedding"}}), weights, options);
  decoder_ = make_engine(describe_sam_decoder(spec_, {}), weights, options);
  const auto n_cells = spec_.grid() * spec_.grid();
  const auto positions =
      make_engine(describe_sam_positions(spec_, n_cells), weights, {.kind = EngineKind::kTorch});
  positions_ = positions->run(Tensors{cell_centres(spec_.grid())})[0];
}

SamPredictor::Picture SamPredictor::look(const Image& image) const {
  CADENZA_REQUIRE(image.height_px > 0 && image.width_px > 0, ErrorCode::kInvalidArgument,
                  "picture ", image.height_px, "x", image.width_px,
                  ": expected at least one pixel");
  const auto [height, width] = fitted_size(image, spec_.size_px);
  const auto pixels = tensor_of(resize_pillow(image, height, width, PillowFilter::kBilinear));
  const auto colours = pixels.expand({height, width, 3}).to(at::kFloat);
  const auto normal = (colours - at::tensor(kMean)) / at::tensor(kStddev);
  auto padded = at::zeros({1, 3, spec_.size_px, spec_.size_px});
  padded[0].narrow(1, 0, height).narrow(2, 0, width).copy_(normal.permute({2, 0, 1}));
  return {encoder_->run(Tensors{padded})[0], image.height_px, image.width_px, height, width};
}

SamPredictor::Answer SamPredictor::ask(const Picture& picture,
                                       std::span<const Point> points) const {
  CADENZA_REQUIRE(!points.empty(), ErrorCode::kInvalidArgument,
                  "points: expected at least one, found none");
  const auto n = static_cast<std::int64_t>(points.size());
  // Each point is followed by one that is none; places are of pixel centres, in double precision
  // until they are in [0,1].
  auto places = at::zeros({n, 2, 2}), kinds = at::zeros({n, 2, kSamPointKinds});
  kinds.select(1, 0).select(1, static_cast<int>(SamPoint::kForeground)).fill_(1);
  kinds.select(1, 1).select(1, static_cast<int>(SamPoint::kNone)).fill_(1);
  auto numbers = places.accessor<float, 3>();
  const auto place = [&](double pixel, std::int64_t used, std::int64_t side) {
    const double scale = static_cast<double>(used) / static_cast<double>(side);
    return static_cast<float>((pixel * scale + 0.5) / static_cast<double>(spec_.size_px));
  };
  for (std::int64_t point = 0; point < n; ++point) {
    const auto& [x, y] = points[static_cast<std::size_t>(point)];
    numbers[point][0][0] = place(x, picture.used_width_px, picture.width_px);
    numbers[point][0][1] = place(y, picture.used_height_px, picture.height_px);
  }
  const auto& graph = decoder_->graph();
  const auto masks_at = graph.output_index("masks"), iou_at = graph.output_index("iou");
  Tensors masks, iou;
  for (std::int64_t first = 0; first < n; first += points_at_once_) {
    const auto n_part = std::min(points_at_once_, n - first);
    const auto part =
        decoder_->run(Tensors{picture.embedding, positions_, places.narrow(0, first, n_part),
                              kinds.narrow(0, first, n_part)});
    masks.push_back(part[masks_at].narrow(1, 1, 3));
    iou.push_back(part[iou_at].narrow(1, 1, 3));
  }
  return {at::cat(masks), at::cat(iou)};
}

LogitResampler SamPredictor::resampler(const Picture& picture) const {
  const auto axis = [&](std::int64_t used, std::int64_t out) {
    return ResampleAxis{.low = spec_.mask_px(), .padded = spec_.size_px, .used = used, .out = out};
  };
  return {axis(picture.used_height_px, picture.height_px),
          axis(picture.used_width_px, picture.width_px)};
}

}  // namespace cadenza
