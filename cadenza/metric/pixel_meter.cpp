#include "cadenza/metric/pixel_meter.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "cadenza/base/error.h"
#include "cadenza/metric/binned_pixels.h"
#include "cadenza/metric/components.h"
#include "cadenza/metric/exact_pixels.h"

namespace cadenza {
namespace {

void require_finite(std::span<const float> map) {
  bool is_finite = true;
  for (const auto value : map) is_finite &= std::abs(value) <= std::numeric_limits<float>::max();
  if (is_finite) return;
  const auto bad = std::ranges::find_if(map, [](float value) { return !std::isfinite(value); });
  throw Error(ErrorCode::kNumeric, cat("anomaly map: pixel ", bad - map.begin(), " is ", *bad,
                                       ", expected finite scores"));
}

/// The area from which on a defect of `area` pixels counts as found.
std::int64_t saturation_area(const DefectChannel& channel, std::int64_t area) {
  CADENZA_REQUIRE(channel.saturation > 0, ErrorCode::kInvalidArgument,
                  "saturation: expected above 0, found ", channel.saturation);
  const auto whole = static_cast<double>(area);
  const auto wanted = channel.is_relative ? channel.saturation * whole : channel.saturation;
  return std::clamp(static_cast<std::int64_t>(std::min(wanted, whole)), std::int64_t{1}, area);
}

/// The `n` largest, in any order.
void keep_largest(std::vector<float>& scores, std::int64_t n) {
  std::ranges::nth_element(scores, scores.begin() + n - 1, std::greater());
  scores.resize(static_cast<std::size_t>(n));
}

}  // namespace

struct PixelMeter::Store {
  PixelMeterOptions options;
  std::int64_t n_pixels = 0;
  std::optional<ExactPixels> exact = ExactPixels();
  BinnedPixels binned;

  void add(const TruthPixels& image) {
    n_pixels += image.n_pixels();
    if (exact && n_pixels > options.exact_up_to_pixels) {
      binned.add(exact->pixels());
      exact.reset();
    }
    if (exact) {
      exact->add(image);
    } else {
      binned.add(image);
    }
  }
};

PixelMeter::PixelMeter(const PixelMeterOptions& options)
    : store_(std::make_unique<Store>(Store{.options = options, .binned = {}})) {}
PixelMeter::~PixelMeter() = default;
PixelMeter::PixelMeter(PixelMeter&&) noexcept = default;
PixelMeter& PixelMeter::operator=(PixelMeter&&) noexcept = default;

void PixelMeter::add(std::span<const float> map, std::span<const std::uint8_t> mask,
                     std::int64_t height_px, std::int64_t width_px) {
  CADENZA_REQUIRE(map.size() == mask.size(), ErrorCode::kInvalidArgument,
                  "anomaly map and mask: expected the same size, found ", map.size(), " and ",
                  mask.size(), " pixels");
  require_finite(map);
  const auto components = label_components(mask, height_px, width_px);
  TruthPixels pixels;
  if (components.list.empty()) {
    pixels.outside.assign(map.begin(), map.end());
    store_->add(pixels);
    return;
  }
  const bool counts_border = store_->options.truth == MaskTruth::kAboveZero;
  pixels.outside.reserve(map.size());
  pixels.regions.resize(components.list.size());
  for (std::size_t pixel = 0; pixel < map.size(); ++pixel) {
    const auto label = components.labels[pixel];
    if (label == 0) {
      pixels.outside.push_back(map[pixel]);
      continue;
    }
    const bool is_anomalous = counts_border || mask[pixel] == 255;
    (is_anomalous ? pixels.anomalous : pixels.border).push_back(map[pixel]);
    pixels.regions[static_cast<std::size_t>(label - 1)].push_back(map[pixel]);
  }
  store_->add(pixels);
}

void PixelMeter::add_channels(std::span<const float> map, std::span<const DefectChannel> channels) {
  require_finite(map);
  std::vector<std::uint8_t> mask(map.size(), 0);  // the largest over the channels
  TruthPixels pixels;
  for (const auto& channel : channels) {
    CADENZA_REQUIRE(channel.mask.size() == map.size(), ErrorCode::kInvalidArgument,
                    "anomaly map and defect channel: expected the same size, found ", map.size(),
                    " and ", channel.mask.size(), " pixels");
    std::vector<float> scores;
    for (std::size_t pixel = 0; pixel < map.size(); ++pixel) {
      if (channel.mask[pixel] == 0) continue;
      mask[pixel] = std::max(mask[pixel], channel.mask[pixel]);
      scores.push_back(map[pixel]);
    }
    if (scores.empty()) continue;
    keep_largest(scores, saturation_area(channel, std::ssize(scores)));
    pixels.regions.push_back(std::move(scores));
  }
  for (std::size_t pixel = 0; pixel < map.size(); ++pixel) {
    const bool is_anomalous = store_->options.truth == MaskTruth::kAboveZero || mask[pixel] == 255;
    auto& kind = mask[pixel] == 0 ? pixels.outside
                 : is_anomalous   ? pixels.anomalous
                                  : pixels.border;
    kind.push_back(map[pixel]);
  }
  store_->add(pixels);
}

std::int64_t PixelMeter::n_pixels() const noexcept { return store_->n_pixels; }

PixelCurves PixelMeter::curves() const {
  return store_->exact ? store_->exact->curves() : store_->binned.curves();
}

}  // namespace cadenza
