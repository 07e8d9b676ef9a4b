#include "cadenza/structure/mask/resample.h"

#include <algorithm>
#include <cmath>

#include "cadenza/base/error.h"

namespace cadenza {

namespace {

struct Pair {
  std::int64_t first, second;
  double fraction;  ///< of the second
};

/// Where an output pixel of a bilinear resize takes its value from.
Pair bilinear_pair(std::int64_t out, std::int64_t n_in, std::int64_t n_out) {
  const double scale = static_cast<double>(n_in) / static_cast<double>(n_out);
  const double place = std::max((static_cast<double>(out) + 0.5) * scale - 0.5, 0.0);
  const auto first = std::min(static_cast<std::int64_t>(place), n_in - 1);
  return {first, std::min(first + 1, n_in - 1), place - static_cast<double>(first)};
}

}  // namespace

std::vector<LogitResampler::Taps> LogitResampler::make_taps(const ResampleAxis& axis) {
  CADENZA_REQUIRE(axis.low >= 1 && axis.used >= 1 && axis.out >= 1 && axis.used <= axis.padded &&
                      axis.padded >= axis.low,
                  ErrorCode::kInvalidArgument, "logits of ", axis.low, " cells for ", axis.used,
                  " of ", axis.padded, " pixels, wanted ", axis.out,
                  ": expected 1 <= used <= padded and low <= padded");
  std::vector<Taps> all;
  for (std::int64_t out = 0; out < axis.out; ++out) {
    const auto [first, second, fraction] = bilinear_pair(out, axis.used, axis.out);
    Taps taps;
    taps.first = bilinear_pair(first, axis.low, axis.padded).first;
    std::array<double, 3> weight{};
    for (const auto& [pixel, share] : {std::pair(first, 1 - fraction), {second, fraction}}) {
      const auto cells = bilinear_pair(pixel, axis.low, axis.padded);
      weight.at(static_cast<std::size_t>(cells.first - taps.first)) += share * (1 - cells.fraction);
      weight.at(static_cast<std::size_t>(cells.second - taps.first)) += share * cells.fraction;
    }
    for (std::size_t tap = 0; tap < weight.size(); ++tap) {
      taps.weight[tap] = static_cast<float>(weight[tap]);
    }
    // Three cells from the first one, without leaving the row: weights move back at its end.
    while (taps.first > 0 && taps.first + 2 >= axis.low) {
      taps.weight = {0, taps.weight[0], taps.weight[1]};
      --taps.first;
    }
    all.push_back(taps);
  }
  return all;
}

LogitResampler::LogitResampler(const ResampleAxis& rows, const ResampleAxis& columns)
    : n_low_columns_(columns.low),
      n_low_rows_(rows.low),
      rows_(make_taps(rows)),
      columns_(make_taps(columns)) {}

/// Calls row(y, values) with each enlarged row.
template <class Row>
void LogitResampler::for_each_row(std::span<const float> logits, Row&& row) const {
  CADENZA_REQUIRE(logits.size() == static_cast<std::size_t>(n_low_rows_ * n_low_columns_),
                  ErrorCode::kInvalidArgument, "logits: expected ", n_low_rows_, "x",
                  n_low_columns_, ", found ", logits.size(), " numbers");
  std::vector<float> mixed(static_cast<std::size_t>(n_low_columns_) + 2);
  std::vector<float> values(columns_.size());
  for (std::size_t y = 0; y < rows_.size(); ++y) {
    std::ranges::fill(mixed, 0.F);
    for (std::int64_t tap = 0; tap < 3; ++tap) {
      const float weight = rows_[y].weight[static_cast<std::size_t>(tap)];
      if (weight == 0) continue;
      const float* from = logits.data() + (rows_[y].first + tap) * n_low_columns_;
      for (std::int64_t x = 0; x < n_low_columns_; ++x) {
        mixed[static_cast<std::size_t>(x)] += weight * from[x];
      }
    }
    for (std::size_t x = 0; x < columns_.size(); ++x) {
      const float* from = mixed.data() + columns_[x].first;
      const auto& weight = columns_[x].weight;
      values[x] = weight[0] * from[0] + weight[1] * from[1] + weight[2] * from[2];
    }
    row(y, std::span<const float>(values));
  }
}

CutMask LogitResampler::cut(std::span<const float> logits, const LogitCut& how) const {
  const auto threshold = static_cast<float>(how.threshold);
  const auto high = static_cast<float>(how.threshold + how.offset);
  const auto low = static_cast<float>(how.threshold - how.offset);
  CutMask result;
  result.mask = {static_cast<std::int64_t>(rows_.size()),
                 static_cast<std::int64_t>(columns_.size()),
                 std::vector<std::uint8_t>(rows_.size() * columns_.size())};
  std::int64_t n_high = 0, n_low = 0;
  for_each_row(logits, [&](std::size_t y, std::span<const float> values) {
    std::uint8_t* to = result.mask.inside.data() + y * columns_.size();
    for (std::size_t x = 0; x < values.size(); ++x) {
      to[x] = values[x] > threshold;
      n_high += values[x] > high;
      n_low += values[x] > low;
    }
  });
  if (n_low > 0) result.stability = static_cast<double>(n_high) / static_cast<double>(n_low);
  return result;
}

std::vector<float> LogitResampler::enlarge(std::span<const float> logits) const {
  std::vector<float> all(rows_.size() * columns_.size());
  for_each_row(logits, [&](std::size_t y, std::span<const float> values) {
    std::ranges::copy(values, all.begin() + static_cast<std::ptrdiff_t>(y * columns_.size()));
  });
  return all;
}

}  // namespace cadenza
