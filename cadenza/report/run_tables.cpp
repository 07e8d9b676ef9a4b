#include "cadenza/report/run_tables.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "cadenza/base/error.h"
#include "cadenza/base/suggest.h"
#include "cadenza/report/figure.h"

namespace cadenza {
namespace {

constexpr const char* kMark = " †";

std::string share_text(const std::optional<double>& value) {
  return figure_text(value, Unit::kShare);
}

/// Options in which the runs differ: what tells two runs of one method apart.
std::string own_options(const RunRecord& run, std::span<const RunRecord> runs) {
  std::string text;
  for (const auto& option : run.options) {
    const bool is_shared = std::ranges::all_of(runs, [&](const RunRecord& other) {
      return other.method != run.method ||
             std::ranges::find(other.options, option) != other.options.end();
    });
    if (!is_shared) text += cat(text.empty() ? "" : ", ", option.first, "=", option.second);
  }
  return text;
}

/// The best mean among `rows` without caveats; absent when there is nothing to compare.
std::optional<double> best_of(const std::vector<NamedFigure>& rows,
                              const std::vector<bool>& may_be_best) {
  std::optional<double> best;
  std::int64_t n_compared = 0;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (!rows[row].figure.mean || rows[row].better == Better::kNeither || !may_be_best[row]) {
      continue;
    }
    ++n_compared;
    const double value = *rows[row].figure.mean;
    if (!best) best = value;
    best = rows[row].better == Better::kHigher ? std::max(*best, value) : std::min(*best, value);
  }
  return n_compared > 1 ? best : std::nullopt;
}

std::string group_title(FigureGroup group) {
  switch (group) {
    case FigureGroup::kImages:
      return "whole images";
    case FigureGroup::kPixels:
      return "pixels";
    case FigureGroup::kUse:
      return "in use";
  }
  return "";
}

Table comparison_table(FigureGroup group, const std::vector<const RunRecord*>& runs,
                       const std::vector<std::string>& names, std::span<const RunRecord> all_runs) {
  Table table{.title = cat(runs.front()->protocol, " on ", join(runs.front()->order), ": ",
                           group_title(group)),
              .columns = {"run", "method", "strategy", "seeds"},
              .rows = {},
              .n_names = 3};
  std::vector<std::vector<NamedFigure>> figures;  // [run][figure]
  std::vector<bool> may_be_best;
  bool has_mark = false;
  for (std::size_t row = 0; row < runs.size(); ++row) {
    const auto& run = *runs[row];
    may_be_best.push_back(caveats(run).empty());
    has_mark = has_mark || !may_be_best.back();
    const auto options = own_options(run, all_runs);
    table.rows.push_back({names[row] + (may_be_best.back() ? "" : kMark),
                          run.method + (options.empty() ? "" : cat(" (", options, ")")),
                          run.strategy.empty() ? "–" : run.strategy, cat(run.seeds.size())});
    figures.push_back(headline_figures(run));
  }
  for (std::size_t index = 0; index < figures.front().size(); ++index) {
    std::vector<NamedFigure> column;
    for (const auto& of_run : figures) column.push_back(of_run[index]);
    const auto is_there = [](const NamedFigure& one) { return one.figure.mean.has_value(); };
    if (column.front().group != group || std::ranges::none_of(column, is_there)) continue;
    const auto best = best_of(column, may_be_best);
    for (std::size_t row = 0; row < runs.size(); ++row) {
      const auto& figure = column[row].figure;
      const bool is_best = best && figure.mean && may_be_best[row] && *figure.mean == *best;
      if (is_best) table.best.insert({row, table.columns.size()});
      table.rows[row].push_back(figure_text(figure, column[row].unit));
    }
    table.columns.push_back(column.front().name);
  }
  if (has_mark) {
    for (std::size_t row = 0; row < runs.size(); ++row) {
      for (const auto& caveat : caveats(*runs[row])) {
        table.remarks.push_back(cat("† ", names[row], ": ", caveat));
      }
    }
  }
  return table;
}

}  // namespace

std::vector<std::string> run_names(std::span<const RunRecord> runs) {
  std::vector<std::string> names;
  for (const auto& run : runs) {
    const auto folder = run.folder.lexically_normal();
    names.push_back((folder.has_filename() ? folder : folder.parent_path()).filename().string());
  }
  const auto short_names = names;
  for (std::size_t run = 0; run < runs.size(); ++run) {
    if (std::ranges::count(short_names, short_names[run]) > 1) {
      names[run] = runs[run].folder.string();
    }
  }
  return names;
}

std::vector<std::string> caveats(const RunRecord& run) {
  std::vector<std::string> all;
  if (run.test_selected) {
    all.emplace_back("test-selected: the length of training was chosen on test images");
  }
  if (run.known_task) all.emplace_back("the task was told at test, nothing was routed");
  return all;
}

std::vector<Table> comparison_tables(std::span<const RunRecord> runs) {
  using Key = std::pair<std::string, std::vector<std::string>>;
  const auto names = run_names(runs);
  std::vector<Key> keys;  // in the order in which they come
  std::map<Key, std::vector<std::size_t>> groups;
  for (std::size_t run = 0; run < runs.size(); ++run) {
    Key key = {runs[run].protocol, runs[run].order};
    std::ranges::sort(key.second);
    if (!groups.contains(key)) keys.push_back(key);
    groups[key].push_back(run);
  }
  std::vector<Table> tables;
  for (const auto& key : keys) {
    std::vector<const RunRecord*> members;
    std::vector<std::string> member_names;
    for (const auto run : groups.at(key)) {
      members.push_back(&runs[run]);
      member_names.push_back(names[run]);
    }
    for (const auto group : {FigureGroup::kImages, FigureGroup::kPixels, FigureGroup::kUse}) {
      auto table = comparison_table(group, members, member_names, runs);
      if (table.columns.size() > table.n_names + 1) tables.push_back(std::move(table));
    }
  }
  return tables;
}

Table product_table(const RunRecord& run) {
  Table table{.title = "After the last step", .columns = {"product"}, .rows = {}};
  for (const auto& task : run.order) table.rows.push_back({task});
  table.rows.push_back({"mean"});
  for (const auto& metric : defined_metrics(run)) {
    table.columns.push_back(metric_title(metric));
    for (std::size_t task = 0; task < run.order.size(); ++task) {
      const auto figure = figure_of(
          run, [&](const SeedRecord& seed) { return seed.matrix.at(metric).back()[task]; });
      table.rows[task].push_back(figure_text(figure, Unit::kShare));
    }
    const auto mean =
        figure_of(run, [&](const SeedRecord& seed) { return seed.final_mean.at(metric); });
    table.rows.back().push_back(figure_text(mean, Unit::kShare));
  }
  return table;
}

Table matrix_table(const RunRecord& run, const std::string& metric) {
  Table table{.title = metric_title(metric) + " after each step", .columns = {"after"}, .rows = {}};
  for (const auto& task : run.order) table.columns.push_back(task);
  const auto matrix = mean_matrix(run, metric);
  for (std::size_t step = 0; step < matrix.size(); ++step) {
    auto& row = table.rows.emplace_back(std::vector{join(run.steps[step])});
    for (const auto& value : matrix[step]) row.push_back(share_text(value));
  }
  return table;
}

Table course_table(const RunRecord& run, const std::string& metric) {
  Table table{.title = metric_title(metric) + ": learned, kept, forgotten",
              .columns = {"product", "step", "when learned", "best", "now", "forgotten"},
              .rows = {}};
  for (const auto& course : task_courses(run, metric)) {
    table.rows.push_back({course.task, cat(course.learned_in + 1), share_text(course.when_learned),
                          share_text(course.best), share_text(course.last),
                          figure_text(course.forgotten, Unit::kDifference)});
  }
  std::string remark;
  const std::vector<std::pair<std::string, std::string>> scores = {
      {"ACC", "mean now"},
      {"forgetting", "forgetting"},
      {"BWT", "backward transfer"},
      {"FWT", "forward transfer"},
      {"average_incremental", "mean over steps"},
      {"forgetting_iuf", "forgetting as IUF counts it"},
      {"memory_gap", "larger memory minus kept memory"}};
  for (const auto& [key, title] : scores) {
    const auto figure = figure_of(run, [&](const SeedRecord& seed) -> std::optional<double> {
      const auto found = seed.continual.find(metric);
      if (found == seed.continual.end()) return std::nullopt;
      const auto score = found->second.find(key);
      return score == found->second.end() ? std::nullopt : score->second;
    });
    if (!figure.mean) continue;
    remark += cat(remark.empty() ? "" : "; ", title, " ", figure_text(figure, Unit::kDifference));
  }
  if (!remark.empty()) table.remarks.push_back(remark);
  return table;
}

Table routing_table(const RunRecord& run) {
  Table table{.title = "Routing", .columns = {"shows"}, .rows = {}};
  std::vector<std::vector<std::int64_t>> sum(run.order.size(),
                                             std::vector<std::int64_t>(run.order.size()));
  bool is_routed = false;
  for (const auto& seed : run.seeds) {
    if (!seed.routing) continue;
    is_routed = true;
    for (std::size_t task = 0; task < sum.size(); ++task) {
      for (std::size_t picked = 0; picked < sum.size(); ++picked) {
        sum[task][picked] += seed.routing->confusion[task][picked];
      }
    }
  }
  if (!is_routed) return table;
  for (std::size_t task = 0; task < sum.size(); ++task) {
    table.columns.push_back(run.order[task]);
    auto& row = table.rows.emplace_back(std::vector{run.order[task]});
    for (const auto count : sum[task]) row.push_back(cat(count));
  }
  const auto share = [&](std::optional<double> RoutingRecord::* which) {
    return figure_text(figure_of(run,
                                 [&](const SeedRecord& seed) -> std::optional<double> {
                                   return seed.routing ? (*seed.routing).*which : std::nullopt;
                                 }),
                       Unit::kShare);
  };
  table.remarks.push_back(cat("right ", share(&RoutingRecord::accuracy), " (good parts ",
                              share(&RoutingRecord::accuracy_normal), ", defects ",
                              share(&RoutingRecord::accuracy_defect), "); called unknown ",
                              share(&RoutingRecord::rejected)));
  return table;
}

Table calibration_table(const RunRecord& run) {
  const auto& first = run.seeds.front();
  Table table{.title = "Thresholds",
              .columns = {"product", "false alarms wanted", "false alarms", "95 % interval",
                          "defects found", "of these as defect"},
              .rows = {}};
  auto rows = run.order;
  rows.emplace_back("pooled");
  for (const auto& task : rows) {
    const auto found = first.rates.find(task);
    if (found == first.rates.end()) continue;
    const auto over_seeds = [&](std::optional<double> TaskRates::* which) {
      return figure_text(figure_of(run,
                                   [&](const SeedRecord& seed) -> std::optional<double> {
                                     const auto rates = seed.rates.find(task);
                                     return rates == seed.rates.end() ? std::nullopt
                                                                      : rates->second.*which;
                                   }),
                         Unit::kShare);
    };
    const auto& interval = found->second.interval95;
    table.rows.push_back(
        {task, share_text(first.target_fpr), over_seeds(&TaskRates::realised_fpr),
         interval ? cat(share_text((*interval)[0]), " to ", share_text((*interval)[1])) : "–",
         over_seeds(&TaskRates::recall), over_seeds(&TaskRates::recall_defect)});
  }
  table.remarks.push_back(
      cat("The interval is Clopper and Pearson's for the test images of seed ", first.seed,
          "; everything that is not called normal counts as found or as an alarm."));
  return table;
}

Table latency_table(const RunRecord& run) {
  Table table{.title = "Milliseconds an image", .columns = {"stage", "p50", "p95", "p99"}};
  for (const auto& [stage, unused] : run.seeds.front().latency_ms) {
    auto& row = table.rows.emplace_back(std::vector{stage});
    for (std::size_t which = 0; which < 3; ++which) {
      const auto figure = figure_of(run, [&](const SeedRecord& seed) -> std::optional<double> {
        for (const auto& [name, percentiles] : seed.latency_ms) {
          if (name == stage) return percentiles[which];
        }
        return std::nullopt;
      });
      row.push_back(figure_text(figure, Unit::kMilliseconds));
    }
  }
  return table;
}

Table cost_table(const RunRecord& run) {
  Table table{.title = "Seconds and bytes",
              .columns = {"step", "learned", "learning", "testing", "memory of it"},
              .rows = {},
              .n_names = 2};
  std::size_t first_task = 0;
  for (std::size_t step = 0; step < run.steps.size(); ++step) {
    const auto over_seeds = [&](std::vector<double> SeedRecord::* which) {
      return figure_text(figure_of(run,
                                   [&](const SeedRecord& seed) -> std::optional<double> {
                                     const auto& values = seed.*which;
                                     return step < values.size() ? std::optional(values[step])
                                                                 : std::nullopt;
                                   }),
                         Unit::kSeconds);
    };
    const auto n_tasks = run.steps[step].size();
    const auto bytes = figure_of(run, [&](const SeedRecord& seed) -> std::optional<double> {
      if (seed.state_bytes.size() < first_task + n_tasks) return std::nullopt;
      double sum = 0;
      for (std::size_t task = first_task; task < first_task + n_tasks; ++task) {
        sum += static_cast<double>(seed.state_bytes[task]);
      }
      return sum;
    });
    table.rows.push_back(
        {cat(step + 1), join(run.steps[step]), over_seeds(&SeedRecord::train_seconds),
         over_seeds(&SeedRecord::evaluate_seconds), figure_text(bytes, Unit::kBytes)});
    first_task += n_tasks;
  }
  const auto bytes_text = [&](std::optional<std::int64_t> SeedRecord::* which) {
    return figure_text(figure_of(run,
                                 [&](const SeedRecord& seed) -> std::optional<double> {
                                   const auto& value = seed.*which;
                                   return value ? std::optional(static_cast<double>(*value))
                                                : std::nullopt;
                                 }),
                       Unit::kBytes);
  };
  table.remarks.push_back(cat("all learned state ", bytes_text(&SeedRecord::state_total_bytes),
                              "; most memory that the process held ",
                              bytes_text(&SeedRecord::peak_rss_bytes)));
  return table;
}

std::vector<Table> run_tables(const RunRecord& run) {
  std::vector<Table> tables = {product_table(run)};
  for (const auto& metric : defined_metrics(run)) {
    if (run.steps.size() < 2) continue;
    tables.push_back(matrix_table(run, metric));
    tables.push_back(course_table(run, metric));
  }
  for (auto&& table :
       {routing_table(run), calibration_table(run), latency_table(run), cost_table(run)}) {
    if (!table.rows.empty()) tables.push_back(table);
  }
  return tables;
}

std::string figures_csv(std::span<const RunRecord> runs) {
  const auto names = run_names(runs);
  Table table{.columns = {"run", "method", "strategy", "protocol", "mode", "task_told", "figure",
                          "mean", "sd", "n"}};
  const auto number = [](const std::optional<double>& value) {
    return value ? Json(*value).dump() : "";
  };
  for (std::size_t index = 0; index < runs.size(); ++index) {
    const auto& run = runs[index];
    for (const auto& named : headline_figures(run)) {
      table.rows.push_back({names[index], run.method, run.strategy, run.protocol, run.mode,
                            run.known_task ? "true" : "false", named.name,
                            number(named.figure.mean), number(named.figure.deviation),
                            cat(named.figure.n)});
    }
  }
  return csv(table);
}

}  // namespace cadenza
