#include "cadenza/report/chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "cadenza/base/error.h"
#include "cadenza/base/suggest.h"
#include "cadenza/report/figure.h"
#include "cadenza/report/html_text.h"

namespace cadenza {
namespace {

constexpr int kShades = 10;  // classes h0 to h10 of the style sheet
constexpr int kColours = 8;  // classes c0 to c7

std::string coordinate(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", value);
  return text.data();
}

int shade_of(double value, double low, double high) {
  const auto part = high > low ? (value - low) / (high - low) : 1.0;
  return static_cast<int>(std::lround(std::clamp(part, 0.0, 1.0) * kShades));
}

std::string text_at(double x, double y, const std::string& classes, const std::string& text) {
  return cat("<text x=\"", coordinate(x), "\" y=\"", coordinate(y), "\" class=\"", classes, "\">",
             escape_html(text), "</text>\n");
}

std::string line_at(double x1, double y1, double x2, double y2, const std::string& classes) {
  return cat("<line x1=\"", coordinate(x1), "\" y1=\"", coordinate(y1), "\" x2=\"", coordinate(x2),
             "\" y2=\"", coordinate(y2), "\" class=\"", classes, "\"/>\n");
}

std::string svg_open(double width, double height, const std::string& title) {
  return cat("<svg class=\"chart\" viewBox=\"0 0 ", coordinate(width), " ", coordinate(height),
             "\" role=\"img\" aria-label=\"", escape_html(title), "\"><title>", escape_html(title),
             "</title>\n");
}

/// Long names are cut in charts; the tables have them whole.
std::string short_name(const std::string& name) {
  constexpr std::size_t kLongest = 18;
  if (name.size() <= kLongest) return name;
  auto end = kLongest - 1;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
  return name.substr(0, end) + "…";
}

/// The frame of the curves: steps to the right, the metric upwards.
struct Plot {
  AxisRange range;
  std::int64_t n_steps;
  double left = 44, right = 560, top = 16, bottom = 268;

  double x(double step) const {
    return left + (right - left) * step / static_cast<double>(n_steps - 1);
  }
  double y(double value) const {
    return bottom - (bottom - top) * (value - range.low) / (range.high - range.low);
  }
};

std::string axes(const Plot& plot, const RunRecord& run) {
  std::string svg;
  const auto& range = plot.range;
  const auto n_ticks = std::lround((range.high - range.low) / range.tick);
  for (long tick = 0; tick <= n_ticks; ++tick) {
    const auto value = range.low + range.tick * static_cast<double>(tick);
    svg += line_at(plot.left, plot.y(value), plot.right, plot.y(value), "grid");
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%.2f", value);
    svg += text_at(plot.left - 8, plot.y(value) + 4, "tick end", text.data());
  }
  const auto every = std::max<std::int64_t>(1, (plot.n_steps + 9) / 10);
  for (std::int64_t step = 0; step < plot.n_steps; step += every) {
    svg +=
        text_at(plot.x(static_cast<double>(step)), plot.bottom + 20, "tick middle", cat(step + 1));
  }
  const auto n_tasks = run.order.size();
  svg += text_at((plot.left + plot.right) / 2, plot.bottom + 40, "tick middle",
                 n_tasks == run.steps.size() ? "products learned" : "steps");
  return svg;
}

std::string curve(const Plot& plot, const std::vector<std::optional<double>>& values,
                  const std::string& classes, const std::string& name) {
  std::string points, dots;
  for (std::size_t step = 0; step < values.size(); ++step) {
    if (!values[step]) continue;
    const auto x = coordinate(plot.x(static_cast<double>(step)));
    const auto y = coordinate(plot.y(*values[step]));
    points += cat(points.empty() ? "" : " ", x, ",", y);
    dots += cat("<circle cx=\"", x, "\" cy=\"", y, "\" r=\"2.6\" class=\"dot ", classes,
                "\"><title>", escape_html(name), ", step ", step + 1, ": ",
                figure_text(values[step], Unit::kShare), "</title></circle>\n");
  }
  return cat("<polyline points=\"", points, "\" class=\"curve ", classes, "\"/>\n", dots);
}

/// Mean of what is defined in each row among the tasks learned by then.
std::vector<std::optional<double>> seen_means(const RunRecord& run, const MetricMatrix& matrix) {
  std::vector<std::optional<double>> means;
  for (std::size_t step = 0; step < matrix.size(); ++step) {
    std::vector<std::optional<double>> seen;
    for (std::size_t task = 0; task < run.order.size(); ++task) {
      if (run.learned_in[task] <= static_cast<std::int64_t>(step)) {
        seen.push_back(matrix[step][task]);
      }
    }
    means.push_back(figure_of(seen).mean);
  }
  return means;
}

}  // namespace

AxisRange axis_range(const std::string& metric, const MetricMatrix& values) {
  double least = 1, most = 0;
  for (const auto& row : values) {
    for (const auto& value : row) {
      least = std::min(least, value.value_or(1));
      most = std::max(most, value.value_or(0));
    }
  }
  const bool is_area = metric.ends_with("AUROC") || metric.ends_with("AUPRO");
  auto low = std::clamp(std::floor(least * 10 + 1e-9), 0.0, 8.0);  // in tenths
  auto high = is_area ? 10 : std::clamp(std::ceil(most * 10 - 1e-9), low + 2, 10.0);
  if (is_area && low >= 5 && low < 8) low = 5;
  if (high - low > 7) {
    low = 0;
    high = 10;
  }
  const auto tick = high - low > 7 ? 0.2 : high - low > 2 ? 0.1 : 0.05;
  return {low / 10, high / 10, tick};
}

std::vector<double> spread_labels(std::span<const double> wanted, double gap, double low,
                                  double high) {
  std::vector<std::size_t> order(wanted.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t index) { return wanted[index]; });
  std::vector<double> places(wanted.begin(), wanted.end());
  double next = low;
  for (const auto index : order) {
    places[index] = std::max(places[index], next);
    next = places[index] + gap;
  }
  double last = high;
  for (auto position = order.rbegin(); position != order.rend(); ++position) {
    places[*position] = std::min(places[*position], last);
    last = places[*position] - gap;
  }
  return places;
}

std::string heat_map_html(const HeatMap& map) {
  std::string html =
      cat("<div class=\"scroll\"><table class=\"heat", map.columns.size() > 8 ? " many" : "",
          "\"><caption>", escape_html(map.caption), "</caption><thead><tr><th scope=\"col\">",
          escape_html(map.corner), "</th>");
  for (const auto& column : map.columns) {
    html += cat("<th scope=\"col\"><span>", escape_html(column), "</span></th>");
  }
  html += "</tr></thead><tbody>\n";
  for (std::size_t row = 0; row < map.rows.size(); ++row) {
    html += cat("<tr><th scope=\"row\">", escape_html(map.rows[row]), "</th>");
    double sum = 0;
    for (const auto& value : map.values[row]) sum += value.value_or(0);
    for (std::size_t column = 0; column < map.columns.size(); ++column) {
      const auto& value = map.values[row][column];
      if (!value) {
        html += "<td class=\"none\" aria-label=\"not yet learned or undefined\"></td>";
        continue;
      }
      const bool is_marked =
          !map.marked_row.empty() && map.marked_row[column] == static_cast<std::int64_t>(row);
      const auto shade =
          map.is_count ? shade_of(*value, 0, sum) : shade_of(*value, map.low, map.high);
      html += cat(
          "<td class=\"h", shade, is_marked ? " marked" : "", "\">",
          map.is_count ? cat(static_cast<std::int64_t>(*value)) : figure_text(value, Unit::kShare));
      if (!map.deviations.empty() && map.deviations[row][column]) {
        html +=
            cat("<small>± ", figure_text(map.deviations[row][column], Unit::kShare), "</small>");
      }
      html += "</td>";
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string curves_svg(const RunRecord& run, const std::string& metric) {
  if (run.steps.size() < 2) return "";
  const auto matrix = mean_matrix(run, metric);
  Plot plot{.range = axis_range(metric, matrix), .n_steps = std::ssize(run.steps)};
  constexpr double kLabelGap = 15;
  const auto n_labels = static_cast<double>(run.order.size() + 1);
  plot.bottom = std::max(plot.bottom, plot.top + n_labels * kLabelGap);
  auto svg =
      svg_open(720, plot.bottom + 52, metric_title(metric) + " of each product after each step");
  svg += axes(plot, run);

  struct Label {
    std::string name, classes;
    double wanted;
  };
  std::vector<Label> labels;
  for (std::size_t task = 0; task < run.order.size(); ++task) {
    std::vector<std::optional<double>> values;
    for (std::size_t step = 0; step < matrix.size(); ++step) {
      const bool is_learned = run.learned_in[task] <= static_cast<std::int64_t>(step);
      values.push_back(is_learned ? matrix[step][task] : std::nullopt);
    }
    const auto classes = cat("c", task % kColours, task >= kColours ? " second" : "");
    svg += curve(plot, values, classes, run.order[task]);
    if (values.back()) labels.push_back({run.order[task], classes, plot.y(*values.back())});
  }
  const auto means = seen_means(run, matrix);
  svg += curve(plot, means, "mean", "mean");
  if (means.back()) labels.push_back({"mean", "mean", plot.y(*means.back())});

  std::vector<double> wanted;
  for (const auto& label : labels) wanted.push_back(label.wanted);
  const auto places = spread_labels(wanted, kLabelGap, plot.top, plot.bottom);
  for (std::size_t label = 0; label < labels.size(); ++label) {
    svg += line_at(plot.right + 6, wanted[label], plot.right + 20, places[label], "leader");
    svg += text_at(plot.right + 26, places[label] + 4, "name " + labels[label].classes,
                   short_name(labels[label].name));
  }
  return svg + "</svg>\n";
}

std::string intervals_svg(const RunRecord& run) {
  const auto& seed = run.seeds.front();
  auto names = run.order;
  names.emplace_back("pooled");
  std::erase_if(names, [&](const std::string& name) {
    const auto found = seed.rates.find(name);
    return found == seed.rates.end() || !found->second.realised_fpr || !found->second.interval95;
  });
  if (names.empty()) return "";
  double high = seed.target_fpr;
  for (const auto& name : names) high = std::max(high, (*seed.rates.at(name).interval95)[1]);
  high = std::min(1.0, std::ceil(high * 10) / 10);
  constexpr double kRow = 24, kTop = 26, kLeft = 150, kRight = 690;
  const auto bottom = kTop + kRow * static_cast<double>(names.size());
  const auto x = [&](double rate) { return kLeft + (kRight - kLeft) * rate / high; };

  auto svg = svg_open(720, bottom + 30, "False alarm rate of each product with its 95 % interval");
  for (int tick = 0; tick <= 4; ++tick) {
    const auto rate = high * tick / 4;
    svg += line_at(x(rate), kTop, x(rate), bottom, "grid");
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%.3g %%", 100 * rate);
    svg += text_at(x(rate), bottom + 18, "tick middle", text.data());
  }
  svg += line_at(x(seed.target_fpr), kTop - 6, x(seed.target_fpr), bottom, "target");
  svg += text_at(x(seed.target_fpr), kTop - 11, "tick middle", "wanted");
  for (std::size_t row = 0; row < names.size(); ++row) {
    const auto& rates = seed.rates.at(names[row]);
    const auto y = kTop + kRow * (static_cast<double>(row) + 0.5);
    svg += text_at(kLeft - 14, y + 4, "name end", short_name(names[row]));
    svg += line_at(x((*rates.interval95)[0]), y, x((*rates.interval95)[1]), y, "interval");
    svg += cat("<circle cx=\"", coordinate(x(*rates.realised_fpr)), "\" cy=\"", coordinate(y),
               "\" r=\"4\" class=\"dot interval\"><title>", escape_html(names[row]), ": ",
               figure_text(rates.realised_fpr, Unit::kShare), "</title></circle>\n");
  }
  return svg + "</svg>\n";
}

}  // namespace cadenza
