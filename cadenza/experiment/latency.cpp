#include "cadenza/experiment/latency.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "cadenza/base/error.h"

namespace cadenza {
namespace {

Json three_percentiles(const std::vector<double>& values) {
  return {{"p50", percentile(values, 0.5)},
          {"p95", percentile(values, 0.95)},
          {"p99", percentile(values, 0.99)}};
}

}  // namespace

double percentile(std::vector<double> values, double part) {
  CADENZA_REQUIRE(!values.empty() && part > 0 && part <= 1, ErrorCode::kInvalidArgument,
                  "percentile ", part, " of ", values.size(), " values");
  const auto rank = static_cast<std::int64_t>(std::ceil(part * static_cast<double>(values.size())));
  const auto place = values.begin() + std::max<std::int64_t>(rank, 1) - 1;
  std::ranges::nth_element(values, place);
  return *place;
}

void LatencyMeter::add(const StageClock& clock) {
  if (n_seen_++ < kWarmUps) return;
  double total = 0;
  for (std::size_t stage = 0; stage < stages_.size(); ++stage) {
    const auto which = static_cast<Stage>(stage);
    const double time = clock.milliseconds(which);
    if (which != Stage::kRender) total += time;
    const bool was_measured = which != Stage::kRender || time > 0;
    if (was_measured) stages_[stage].push_back(time);
  }
  totals_.push_back(total);
}

std::int64_t LatencyMeter::n_counted() const noexcept { return std::ssize(totals_); }

Json LatencyMeter::percentiles() const {
  if (n_counted() < kLeastImages) return nullptr;
  Json all;
  for (std::size_t stage = 0; stage < stages_.size(); ++stage) {
    const bool is_measured = std::ssize(stages_[stage]) >= kLeastImages;
    all[std::string(kStageNames[stage])] =
        is_measured ? three_percentiles(stages_[stage]) : Json(nullptr);
  }
  all["total"] = three_percentiles(totals_);
  return all;
}

}  // namespace cadenza
