#include "cadenza/report/figure.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "cadenza/base/error.h"
#include "cadenza/experiment/results.h"

namespace cadenza {
namespace {

std::optional<double> lookup(const std::map<std::string, std::optional<double>>& values,
                             const std::string& key) {
  const auto found = values.find(key);
  return found == values.end() ? std::nullopt : found->second;
}

std::string formatted(const char* format, double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

/// `take` brings each entry's values over the seeds down to one.
MetricMatrix reduce_matrix(const RunRecord& run, const std::string& metric,
                           const std::function<std::optional<double>(const Figure&)>& take) {
  MetricMatrix matrix(run.steps.size(), std::vector<std::optional<double>>(run.order.size()));
  for (std::size_t step = 0; step < run.steps.size(); ++step) {
    for (std::size_t task = 0; task < run.order.size(); ++task) {
      matrix[step][task] = take(figure_of(run, [&](const SeedRecord& seed) {
        const auto found = seed.matrix.find(metric);
        return found == seed.matrix.end() ? std::nullopt : found->second[step][task];
      }));
    }
  }
  return matrix;
}

FigureGroup group_of(const std::string& metric) {
  return metric.starts_with("image") ? FigureGroup::kImages : FigureGroup::kPixels;
}

void add_metrics(const RunRecord& run, std::vector<NamedFigure>& figures) {
  for (const auto name : kMetricNames) {
    const std::string metric(name);
    figures.push_back(
        {metric_title(metric), "mean over products, after the last one was learned", Unit::kShare,
         Better::kHigher,
         figure_of(run, [&](const SeedRecord& seed) { return lookup(seed.final_mean, metric); }),
         metric == "image_AUROC" || metric == "pixel_AUPR" || metric == "pixel_AUPRO",
         group_of(metric)});
  }
  for (const std::string metric : {"image_AUROC", "pixel_AUPR"}) {
    figures.push_back({"forgetting, " + metric_title(metric),
                       "best value so far minus the last one, mean over products",
                       Unit::kDifference, Better::kLower,
                       figure_of(run,
                                 [&](const SeedRecord& seed) -> std::optional<double> {
                                   const auto found = seed.continual.find(metric);
                                   if (found == seed.continual.end()) return std::nullopt;
                                   return lookup(found->second, "forgetting");
                                 }),
                       metric == "image_AUROC", group_of(metric)});
  }
}

void add_decisions(const RunRecord& run, std::vector<NamedFigure>& figures) {
  figures.push_back({"routing", "images that were given to their own product", Unit::kShare,
                     Better::kHigher,
                     figure_of(run, [](const SeedRecord& seed) -> std::optional<double> {
                       return seed.routing ? seed.routing->accuracy : std::nullopt;
                     })});
  const auto pooled = [](std::optional<double> TaskRates::* rate) {
    return [rate](const SeedRecord& seed) -> std::optional<double> {
      const auto found = seed.rates.find("pooled");
      return found == seed.rates.end() ? std::nullopt : found->second.*rate;
    };
  };
  figures.push_back({"false alarms", "good parts that were not called normal", Unit::kShare,
                     Better::kNeither, figure_of(run, pooled(&TaskRates::realised_fpr))});
  figures.push_back({"defects found", "defects that were not called normal", Unit::kShare,
                     Better::kHigher, figure_of(run, pooled(&TaskRates::recall))});
}

void add_costs(const RunRecord& run, std::vector<NamedFigure>& figures) {
  figures.push_back({"learning", "all products together", Unit::kSeconds, Better::kLower,
                     figure_of(run, [](const SeedRecord& seed) -> std::optional<double> {
                       if (seed.train_seconds.empty()) return std::nullopt;
                       return std::accumulate(seed.train_seconds.begin(), seed.train_seconds.end(),
                                              0.0);
                     })});
  figures.push_back({"latency", "median from file bytes to verdict and map, one image at a time",
                     Unit::kMilliseconds, Better::kLower,
                     figure_of(run, [](const SeedRecord& seed) -> std::optional<double> {
                       for (const auto& [stage, percentiles] : seed.latency_ms) {
                         if (stage == "total") return percentiles[0];
                       }
                       return std::nullopt;
                     })});
  figures.push_back(
      {"memory a product", "bytes of learned state, mean", Unit::kBytes, Better::kLower,
       figure_of(run, [](const SeedRecord& seed) -> std::optional<double> {
         if (seed.state_bytes.empty()) return std::nullopt;
         const auto total =
             std::accumulate(seed.state_bytes.begin(), seed.state_bytes.end(), std::int64_t{0});
         return static_cast<double>(total) / static_cast<double>(seed.state_bytes.size());
       })});
}

}  // namespace

Figure figure_of(const std::vector<std::optional<double>>& values) {
  Figure figure;
  double sum = 0, squares = 0;
  for (const auto& value : values) {
    if (!value) continue;
    sum += *value;
    ++figure.n;
  }
  if (figure.n == 0) return figure;
  figure.mean = sum / static_cast<double>(figure.n);
  for (const auto& value : values) {
    if (value) squares += (*value - *figure.mean) * (*value - *figure.mean);
  }
  if (figure.n > 1) figure.deviation = std::sqrt(squares / static_cast<double>(figure.n - 1));
  return figure;
}

Figure figure_of(const RunRecord& run,
                 const std::function<std::optional<double>(const SeedRecord&)>& value_of) {
  std::vector<std::optional<double>> values;
  for (const auto& seed : run.seeds) values.push_back(value_of(seed));
  return figure_of(values);
}

std::vector<NamedFigure> headline_figures(const RunRecord& run) {
  std::vector<NamedFigure> figures;
  add_metrics(run, figures);
  add_decisions(run, figures);
  add_costs(run, figures);
  return figures;
}

MetricMatrix mean_matrix(const RunRecord& run, const std::string& metric) {
  return reduce_matrix(run, metric, [](const Figure& figure) { return figure.mean; });
}
MetricMatrix deviation_matrix(const RunRecord& run, const std::string& metric) {
  return reduce_matrix(run, metric, [](const Figure& figure) { return figure.deviation; });
}

std::vector<std::string> defined_metrics(const RunRecord& run) {
  std::vector<std::string> metrics;
  for (const auto name : kMetricNames) {
    const auto matrix = mean_matrix(run, std::string(name));
    const bool is_defined = std::ranges::any_of(matrix, [](const auto& row) {
      return std::ranges::any_of(row, [](const auto& value) { return value.has_value(); });
    });
    if (is_defined) metrics.emplace_back(name);
  }
  return metrics;
}

std::vector<TaskCourse> task_courses(const RunRecord& run, const std::string& metric) {
  const auto matrix = mean_matrix(run, metric);
  std::vector<TaskCourse> courses;
  for (std::size_t task = 0; task < run.order.size(); ++task) {
    const auto first = static_cast<std::size_t>(run.learned_in[task]);
    TaskCourse course{.task = run.order[task], .learned_in = run.learned_in[task]};
    course.when_learned = matrix[first][task];
    course.last = matrix.back()[task];
    for (std::size_t step = first; step < matrix.size(); ++step) {
      const auto& value = matrix[step][task];
      if (!value) continue;
      if (step + 1 < matrix.size()) {
        course.forgotten = std::max(course.forgotten.value_or(*value), *value);
      }
      course.best = std::max(course.best.value_or(*value), *value);
    }
    if (course.forgotten && course.last) {
      *course.forgotten -= *course.last;
    } else {
      course.forgotten.reset();
    }
    courses.push_back(course);
  }
  return courses;
}

std::string metric_title(const std::string& metric) {
  std::string title = metric;
  std::ranges::replace(title, '_', ' ');
  return title;
}

std::string figure_text(const std::optional<double>& value, Unit unit) {
  if (!value) return "–";
  switch (unit) {
    case Unit::kShare:
      return formatted("%.3f", *value);
    case Unit::kDifference: {
      const auto rounded = formatted("%.3f", *value);
      return rounded == "-0.000" ? "0.000" : rounded;
    }
    case Unit::kSeconds:
      return formatted(*value < 100 ? "%.1f s" : "%.0f s", *value);
    case Unit::kMilliseconds:
      return formatted(*value < 100 ? "%.1f ms" : "%.0f ms", *value);
    case Unit::kBytes:
      return *value < 1e4 ? formatted("%.0f B", *value)
                          : formatted(*value < 1e7 ? "%.2f MB" : "%.1f MB", *value / 1e6);
  }
  return "";
}

std::string score_text(double score) { return formatted("%.4g", score); }

std::string figure_text(const Figure& figure, Unit unit) {
  const auto text = figure_text(figure.mean, unit);
  if (!figure.deviation) return text;
  const auto space = text.find(' ');
  if (space == std::string::npos) return cat(text, " ± ", figure_text(figure.deviation, unit));
  const auto suffix = text.substr(space);
  const auto point = text.find('.');
  const auto format = cat("%.", point == std::string::npos ? 0 : space - point - 1, "f");
  const auto scale = suffix == " MB" ? 1e6 : 1.0;
  return cat(text.substr(0, space), " ± ", formatted(format.c_str(), *figure.deviation / scale),
             suffix);
}

}  // namespace cadenza
