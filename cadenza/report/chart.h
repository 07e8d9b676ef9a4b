#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cadenza/metric/continual_scores.h"
#include "cadenza/report/run_record.h"

namespace cadenza {

/// A matrix as an HTML table whose cells are shaded; the number stands in every cell.
struct HeatMap {
  std::string caption;
  std::string corner;  ///< over the row names
  std::vector<std::string> rows, columns;
  MetricMatrix values;
  MetricMatrix deviations;                    ///< below the number; empty: none
  double low = 0, high = 1;                   ///< lightest and darkest shade
  bool is_count = false;                      ///< whole numbers; each row shaded by its own sum
  std::vector<std::int64_t> marked_row = {};  ///< a column: the row that is outlined; empty: none
};
std::string heat_map_html(const HeatMap& map);

/// One line a task over the steps, from the step in which it is learned, named at its right end; a
/// broken line is the mean of the tasks learned so far. Empty for fewer than two steps.
std::string curves_svg(const RunRecord& run, const std::string& metric);

/// A row a product: the interval of the false alarm rate, a dot at the rate, a line at the target.
std::string intervals_svg(const RunRecord& run);

/// Where labels at heights `wanted` stand so that neighbours keep `gap`, moved as little as the
/// order allows, within [low, high] as far as there is room.
std::vector<double> spread_labels(std::span<const double> wanted, double gap, double low,
                                  double high);

/// What an axis spans and how far apart its ticks are.
struct AxisRange {
  double low, high, tick;
};
/// Tenths around all values, at least two of them; areas under a curve reach to 1, and begin at a
/// half or at 0.8 where nothing lies below.
AxisRange axis_range(const std::string& metric, const MetricMatrix& values);

}  // namespace cadenza
