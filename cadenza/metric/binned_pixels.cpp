#include "cadenza/metric/binned_pixels.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace cadenza {
namespace {

/// The first bins span so small a range around the first score that any spread widens them.
constexpr double kFirstSpan = 0x1p-20;
constexpr double kSmallestSpan = 0x1p-130;

/// Bins 2k and 2k + 1 become bin first + k; the other half is empty.
template <class Count>
void merge_in_pairs(std::vector<Count>& bins, std::size_t first) {
  std::vector<Count> merged(bins.size());
  for (std::size_t bin = 0; bin < bins.size(); ++bin) merged[first + bin / 2] += bins[bin];
  bins = std::move(merged);
}

std::int64_t sum_of(const std::vector<std::int64_t>& bins) {
  std::int64_t sum = 0;
  for (const auto count : bins) sum += count;
  return sum;
}

}  // namespace

void BinnedPixels::merge_pairs(std::size_t first) {
  for (auto* bins : {&outside_, &border_, &anomalous_}) merge_in_pairs(*bins, first);
  merge_in_pairs(overlap_, first);
  width_ *= 2;
}

void BinnedPixels::widen_to(float lowest, float highest) {
  if (outside_.empty()) {
    for (auto* bins : {&outside_, &border_, &anomalous_}) bins->assign(kBins, 0);
    overlap_.assign(kBins, 0);
    const auto span = std::max(std::abs(double{lowest}) * kFirstSpan, kSmallestSpan);
    low_ = lowest;
    width_ = span / kBins;
  }
  while (lowest < low_) {
    low_ -= width_ * kBins;
    merge_pairs(kBins / 2);
  }
  while (highest >= low_ + width_ * kBins) merge_pairs(0);
}

void BinnedPixels::widen_to(std::span<const float> scores) {
  if (scores.empty()) return;
  const auto [lowest, highest] = std::ranges::minmax(scores);
  widen_to(lowest, highest);
}

std::size_t BinnedPixels::bin_of(float score) const {
  const auto bin = static_cast<std::size_t>(std::max((score - low_) / width_, 0.0));
  return std::min(bin, kBins - 1);  // the division may round up to the end
}

void BinnedPixels::add(const TruthPixels& image) {
  for (const auto* scores : {&image.outside, &image.border, &image.anomalous}) widen_to(*scores);
  for (const auto score : image.outside) ++outside_[bin_of(score)];
  for (const auto score : image.border) ++border_[bin_of(score)];
  for (const auto score : image.anomalous) ++anomalous_[bin_of(score)];
  for (const auto& scores : image.regions) {
    for (const auto score : scores) {
      overlap_[bin_of(score)] += 1.0 / static_cast<double>(scores.size());
    }
    ++n_regions_;
  }
}

PixelCurves BinnedPixels::curves() const {
  std::vector<ScoreCurve::Point> pixel_points;
  std::vector<OverlapCurve::Point> region_points;
  std::int64_t n_outside = 0, n_normal = 0, n_anomalous = 0;
  double overlap = 0;
  for (std::size_t bin = outside_.size(); bin-- > 0;) {
    const auto threshold = low_ + width_ * static_cast<double>(bin);
    const auto normal = outside_[bin] + border_[bin];
    if (anomalous_[bin] > 0) {
      n_anomalous += anomalous_[bin];
      pixel_points.push_back({threshold, n_anomalous, n_normal + normal, n_normal});
    }
    if (overlap_[bin] > 0) {
      overlap += overlap_[bin] / static_cast<double>(n_regions_);
      region_points.push_back({threshold, overlap, n_outside + outside_[bin], n_outside});
    }
    n_outside += outside_[bin];
    n_normal += normal;
  }
  return {.pixels = {std::move(pixel_points), sum_of(anomalous_), n_normal, "pixels"},
          .regions = {std::move(region_points), n_regions_, n_outside},
          .is_exact = false};
}

}  // namespace cadenza
