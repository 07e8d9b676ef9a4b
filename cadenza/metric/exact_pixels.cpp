// 1. A score's bits become a key whose unsigned order is the scores' falling order.
// 2. Pixels outside regions, by far the most, are sorted as bare keys; the few others beside them.
// 3. One walk over the distinct keys of the few, with a finger in the many, writes a curve.
#include "cadenza/metric/exact_pixels.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace cadenza {
namespace {

using Key = std::uint32_t;
constexpr Key kSign = Key{1} << 31;

Key key_of(float score) {
  const auto bits = std::bit_cast<Key>(score + 0.0F);  // -0 and 0 are one score
  return (bits & kSign) != 0 ? bits : ~bits & ~kSign;
}

float score_of(Key key) { return std::bit_cast<float>((key & kSign) != 0 ? key : ~key & ~kSign); }

Key key_of(Key key) { return key; }
Key key_of(const ExactPixels::RegionKey& entry) { return entry.key; }

/// Rising keys: least significant digit first, three digits, each pass stable.
template <class Entry>
std::vector<Entry> sorted(const std::vector<Entry>& entries) {
  constexpr int kDigitBits = 11;
  constexpr Key kDigits = Key{1} << kDigitBits;
  std::array<std::array<std::size_t, kDigits>, 3> starts{};
  const auto digit = [](const Entry& entry, std::size_t pass) {
    return key_of(entry) >> (pass * kDigitBits) & (kDigits - 1);
  };
  for (const auto& entry : entries) {
    for (std::size_t pass = 0; pass < starts.size(); ++pass) ++starts[pass][digit(entry, pass)];
  }
  std::vector<Entry> from(entries), to(entries.size());
  for (std::size_t pass = 0; pass < starts.size(); ++pass) {
    std::size_t start = 0;
    for (auto& count : starts[pass]) start += std::exchange(count, start);
    for (const auto& entry : from) to[starts[pass][digit(entry, pass)]++] = entry;
    from.swap(to);
  }
  return from;
}

/// A finger in sorted keys that only moves on.
class Finger {
 public:
  explicit Finger(const std::vector<Key>& keys) : keys_(keys) {}
  std::int64_t count_below(Key key) {
    while (at_ < keys_.size() && keys_[at_] < key) ++at_;
    return static_cast<std::int64_t>(at_);
  }
  std::int64_t count_to(Key key) {
    while (at_ < keys_.size() && keys_[at_] <= key) ++at_;
    return static_cast<std::int64_t>(at_);
  }

 private:
  const std::vector<Key>& keys_;
  std::size_t at_ = 0;
};

ScoreCurve score_curve(const std::vector<Key>& anomalous, const std::vector<Key>& outside,
                       const std::vector<Key>& border) {
  std::vector<ScoreCurve::Point> points;
  Finger in_outside(outside), in_border(border);
  for (std::size_t next = 0; next < anomalous.size();) {
    const auto key = anomalous[next];
    while (next < anomalous.size() && anomalous[next] == key) ++next;
    ScoreCurve::Point point{.threshold = score_of(key),
                            .true_positives = static_cast<std::int64_t>(next)};
    point.false_positives_above = in_outside.count_below(key) + in_border.count_below(key);
    point.false_positives = in_outside.count_to(key) + in_border.count_to(key);
    points.push_back(point);
  }
  return {std::move(points), std::ssize(anomalous), std::ssize(outside) + std::ssize(border),
          "pixels"};
}

OverlapCurve overlap_curve(const std::vector<ExactPixels::RegionKey>& in_regions,
                           const std::vector<std::uint32_t>& n_scores,
                           const std::vector<Key>& outside) {
  const auto n_regions = static_cast<double>(n_scores.size());
  std::vector<OverlapCurve::Point> points;
  Finger in_outside(outside);
  double sum = 0;  // of the regions' overlaps
  for (std::size_t next = 0; next < in_regions.size();) {
    const auto key = in_regions[next].key;
    for (; next < in_regions.size() && in_regions[next].key == key; ++next) {
      sum += 1.0 / n_scores[in_regions[next].region];
    }
    OverlapCurve::Point point{.threshold = score_of(key), .overlap = sum / n_regions};
    point.false_positives_above = in_outside.count_below(key);
    point.false_positives = in_outside.count_to(key);
    points.push_back(point);
  }
  return {std::move(points), std::ssize(n_scores), std::ssize(outside)};
}

void append(std::vector<Key>& keys, const std::vector<float>& scores) {
  const auto first = keys.size();
  keys.resize(first + scores.size());
  std::ranges::transform(scores, keys.begin() + static_cast<std::ptrdiff_t>(first),
                         [](float score) { return key_of(score); });
}

std::vector<float> scores_of(const std::vector<Key>& keys) {
  std::vector<float> scores(keys.size());
  std::ranges::transform(keys, scores.begin(), score_of);
  return scores;
}

}  // namespace

void ExactPixels::add(const TruthPixels& image) {
  append(outside_, image.outside);
  append(border_, image.border);
  append(anomalous_, image.anomalous);
  for (const auto& scores : image.regions) {
    const auto region = static_cast<std::uint32_t>(n_scores_.size());
    for (const auto score : scores) in_regions_.push_back({key_of(score), region});
    n_scores_.push_back(static_cast<std::uint32_t>(scores.size()));
  }
}

PixelCurves ExactPixels::curves() const {
  const auto outside = sorted(outside_);
  return {.pixels = score_curve(sorted(anomalous_), outside, sorted(border_)),
          .regions = overlap_curve(sorted(in_regions_), n_scores_, outside),
          .is_exact = true};
}

TruthPixels ExactPixels::pixels() const {
  TruthPixels all{.outside = scores_of(outside_),
                  .border = scores_of(border_),
                  .anomalous = scores_of(anomalous_),
                  .regions = std::vector<std::vector<float>>(n_scores_.size())};
  for (const auto& entry : in_regions_) all.regions[entry.region].push_back(score_of(entry.key));
  return all;
}

}  // namespace cadenza
