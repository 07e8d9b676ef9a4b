#include "cadenza/report/html_report.h"

#include <algorithm>
#include <set>

#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/base/suggest.h"
#include "cadenza/report/chart.h"
#include "cadenza/report/figure.h"
#include "cadenza/report/html_text.h"
#include "cadenza/report/run_tables.h"
#include "cadenza/report/style.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;

std::string heading(const std::string& id, const std::string& title, const std::string& lead) {
  return cat("<h2 id=\"", id, "\">", escape_html(title), "</h2>\n",
             lead.empty() ? "" : cat("<p class=\"soft\">", lead, "</p>\n"));
}

std::string caveats_html(const RunRecord& run) {
  std::string html;
  for (const auto& caveat : caveats(run)) {
    html += cat("<p class=\"caveat\">", escape_html(caveat), "</p>\n");
  }
  return html;
}

/// The part of the report that is about one run.
class RunPart {
 public:
  RunPart(const RunRecord& run, std::string name, std::size_t number, const ReportOptions& options)
      : run_(run), name_(std::move(name)), id_(cat("run", number)), options_(options) {}

  std::string html(bool is_alone) {
    std::string body = cat("<article class=\"run\" id=\"", id_, "\">\n");
    body += head(is_alone);
    body += key_figures();
    body += matrix();
    body += routing();
    body += calibration();
    body += examples();
    body += never_taught();
    body += costs();
    body += small_print();
    return body + "</article>\n";
  }

 private:
  std::string id(const std::string& part) const { return cat(id_, "-", part); }

  std::string head(bool is_alone) const {
    const std::string level = is_alone ? "h1" : "h2";
    std::string what = run_.method;
    if (!run_.strategy.empty()) what += " with " + run_.strategy;
    std::vector<std::string> seeds;
    for (const auto& seed : run_.seeds) seeds.push_back(cat(seed.seed));
    return cat("<p class=\"overline\">", is_alone ? "Cadenza · run " : "run ", escape_html(name_),
               "</p>\n<", level, ">", escape_html(what), "</", level, ">\n<p class=\"soft\">",
               run_.order.size(), run_.order.size() == 1 ? " product" : " products", ", protocol ",
               escape_html(run_.protocol), ", ", escape_html(run_.mode), " mode, ",
               seeds.size() == 1 ? "seed " : "seeds ", join(seeds), "</p>\n", caveats_html(run_));
  }

  std::string key_figures() const {
    std::string html = "<dl class=\"key\">\n";
    for (const auto& named : headline_figures(run_)) {
      if (!named.figure.mean || !named.is_key) continue;
      auto value = figure_text(named.figure.mean, named.unit);
      std::string unit;
      if (const auto space = value.find(' '); space != std::string::npos) {
        unit = value.substr(space);
        value.resize(space);
      }
      auto meaning = named.meaning;
      if (named.name == "false alarms") {
        meaning += cat("; wanted ", figure_text(run_.seeds.front().target_fpr, Unit::kShare));
      }
      std::string spread;
      if (named.figure.deviation) {
        const auto whole = figure_text(named.figure, named.unit);
        spread = " ±" + whole.substr(whole.find("±") + std::string("±").size());
        unit.clear();
      }
      html += cat("<div><dt>", escape_html(named.name), "</dt><dd class=\"value\">", value,
                  "<small>", escape_html(unit + spread), "</small></dd><dd class=\"meaning\">",
                  escape_html(meaning), "</dd></div>\n");
    }
    return html + "</dl>\n";
  }

  std::string matrix_panel(const std::string& metric) const {
    const auto range = axis_range(metric, mean_matrix(run_, metric));
    HeatMap map{.caption = {},
                .corner = "after learning",
                .rows = {},
                .columns = run_.order,
                .values = mean_matrix(run_, metric),
                .deviations = {},
                .low = range.low,
                .high = range.high,
                .marked_row = run_.learned_in};
    if (run_.seeds.size() > 1) map.deviations = deviation_matrix(run_, metric);
    for (const auto& step : run_.steps) {
      map.rows.push_back(step.size() <= 3 ? join(step) : cat(step.size(), " products"));
    }
    map.caption =
        cat("Read down a column: what happens to one product while others are learned. "
            "Outlined: where it was learned. Shades from ",
            figure_text(map.low, Unit::kShare), " to ", figure_text(map.high, Unit::kShare), ".",
            run_.seeds.size() > 1 ? " Mean and deviation over seeds." : "");
    return cat("<section><h3 class=\"hidden panel-name\">", escape_html(metric_title(metric)),
               "</h3>\n<div class=\"beside\">", heat_map_html(map), curves_svg(run_, metric),
               "</div>\n", run_.steps.size() > 1 ? html_table(course_table(run_, metric)) : "",
               "</section>\n");
  }

  std::string matrix() const {
    const auto metrics = defined_metrics(run_);
    std::string html = heading(id("matrix"), "What is known after each step",
                               "Every product that has been learned is tested after each step.");
    if (metrics.empty()) return html + "<p>No metric is defined; the notes say why.</p>\n";
    std::string names, panels;
    html += "<fieldset class=\"tabs\"><legend class=\"hidden\">Metric</legend>\n";
    for (std::size_t metric = 0; metric < metrics.size(); ++metric) {
      const auto input = id(metrics[metric]);
      html += cat("<input type=\"radio\" name=\"", id("metric"), "\" id=\"", input, "\"",
                  metric == 0 ? " checked" : "", ">\n");
      names += cat("<label for=\"", input, "\">", escape_html(metric_title(metrics[metric])),
                   "</label>\n");
      panels += matrix_panel(metrics[metric]);
    }
    html += cat("<div class=\"names\">", names, "</div>\n<div class=\"panels\">", panels,
                "</div></fieldset>\n");
    return html + html_table(product_table(run_));
  }

  std::string routing() const {
    const auto table = routing_table(run_);
    if (table.rows.empty()) return "";
    HeatMap map{.caption = table.remarks.front(),
                .corner = "shows",
                .rows = run_.order,
                .columns = run_.order,
                .values = {},
                .deviations = {},
                .is_count = true};
    for (const auto& row : table.rows) {
      auto& values = map.values.emplace_back();
      for (std::size_t column = 1; column < row.size(); ++column) {
        values.emplace_back(std::stod(row[column]));
      }
    }
    return heading(id("routing"), "Which product is it?",
                   "Rows: what test images show. Columns: the product they were taken for, whether "
                   "near enough or not.") +
           heat_map_html(map);
  }

  std::string calibration() const {
    const auto table = calibration_table(run_);
    if (table.rows.empty()) return "";
    return heading(id("calibration"), "Do thresholds keep their promise?",
                   "Each threshold is set from good parts alone, for a wanted share of false "
                   "alarms. Dots: the share on test images; bars: its 95 % interval.") +
           intervals_svg(run_) + html_table(table);
  }

  std::string costs() const {
    auto html = heading(id("costs"), "Time and memory", "");
    const auto latency = latency_table(run_);
    if (!latency.rows.empty()) html += html_table(latency);
    return html + html_table(cost_table(run_));
  }

  std::string boxes(const PredictionRecord& prediction) const {
    std::string svg;
    for (const auto& box : prediction.regions) {
      svg += cat("<rect class=\"box\" x=\"", box.x, "\" y=\"", box.y, "\" width=\"", box.width,
                 "\" height=\"", box.height, "\"/>");
    }
    return svg;
  }

  static std::string verdict_text(const PredictionRecord& prediction) {
    auto text = cat("<span class=\"label ", escape_html(prediction.label), "\">",
                    escape_html(prediction.label), "</span>");
    if (prediction.task && *prediction.task != prediction.true_task) {
      text += cat(" <span class=\"wrong\">taken for ", escape_html(*prediction.task), "</span>");
    }
    if (prediction.score) {
      text += cat(", score ", score_text(*prediction.score));
      if (prediction.threshold) text += cat(", limit ", score_text(*prediction.threshold));
    }
    return text;
  }

  std::string example(const SeedRecord& seed, const Example& one) {
    const auto& prediction = one.prediction;
    std::optional<ExampleMap> map;
    ExamplePictures pictures;
    try {
      if (options_.map_of) map = options_.map_of(seed, prediction);
      pictures = draw_example(prediction, map);
    } catch (const Error& error) {
      options_.progress->warn(cat("report: ", error.what()));
      return cat("<p class=\"remark\">", escape_html(error.what()), "</p>\n");
    }
    const auto alt = cat(prediction.true_task, ", ", one.reason, ": ", prediction.label);
    auto image = [&](const std::string& uri, const std::string& text, const std::string& over) {
      return cat("<div><img src=\"", uri, "\" width=\"", pictures.width_px, "\" height=\"",
                 pictures.height_px, "\" alt=\"", escape_html(text), "\">", over, "</div>");
    };
    auto html =
        cat("<figure class=\"example\"><div class=\"pair\">", image(pictures.photograph, alt, ""));
    if (!pictures.overlay.empty()) {
      html += image(pictures.overlay, "the same with what exceeds the threshold painted over", "");
    } else if (!prediction.regions.empty()) {
      html += image(
          pictures.photograph, "the same with the regions that exceed the threshold",
          cat("<svg viewBox=\"0 0 ", pictures.original_width_px, " ", pictures.original_height_px,
              "\" preserveAspectRatio=\"none\" aria-hidden=\"true\">", boxes(prediction),
              "</svg>"));
    }
    return cat(html, "</div><figcaption>", escape_html(one.reason), "<br>",
               verdict_text(prediction), "<span class=\"file\">",
               escape_html(short_path(prediction.file)), "</span></figcaption></figure>\n");
  }

  /// The last three parts of a path: what tells images of a dataset apart.
  static std::string short_path(const fs::path& file) {
    const auto folder = file.parent_path();
    return (folder.parent_path().filename() / folder.filename() / file.filename()).string();
  }

  std::vector<PredictionRecord> predictions_of(const SeedRecord& seed, const char* name) {
    const auto file = seed.folder / name;
    if (!fs::exists(file)) return {};
    try {
      return read_predictions(file);
    } catch (const Error& error) {
      options_.progress->warn(cat("report: ", error.what()));
      return {};
    }
  }

  std::string example_rows(const SeedRecord& seed, std::span<const PredictionRecord> predictions,
                           const std::vector<std::string>& tasks) {
    std::string html;
    for (const auto& task : tasks) {
      const auto chosen = choose_examples(predictions, task);
      if (chosen.empty()) continue;
      html += cat("<section class=\"product\"><h3>", escape_html(task),
                  "</h3><div class=\"examples\">\n");
      for (const auto& one : chosen) html += example(seed, one);
      html += "</div></section>\n";
    }
    return html;
  }

  std::string examples() {
    const auto& seed = run_.seeds.front();
    const auto rows = example_rows(seed, predictions_of(seed, "predictions.jsonl"), run_.order);
    if (rows.empty()) return "";
    std::string html = heading(
        id("examples"), "Examples",
        cat("Chosen by rule, not by hand, among the test images of seed ", seed.seed,
            " after the last step: the good part and the defect of median score, the defect "
            "missed by most, the worst false alarm. Left the photograph, right what the model sees "
            "in it."));
    if (rows.find("the same with what exceeds") != std::string::npos) {
      html +=
          "<div class=\"scale\"><div class=\"bar\"></div><span>calm</span><div class=\"ends\">"
          "<span>the product’s threshold</span><span>twice it</span></div></div>\n";
    }
    return html + rows;
  }

  std::string never_taught() {
    const auto& seed = run_.seeds.front();
    const auto predictions = predictions_of(seed, kNeverTaughtFile);
    if (predictions.empty()) return "";
    std::vector<std::string> tasks;
    for (const auto& one : predictions) {
      if (std::ranges::count(tasks, one.true_task) == 0) tasks.push_back(one.true_task);
    }
    Table table{.title = "What was said of them",
                .columns = {"product", "images", "unknown", "normal", "defect"},
                .rows = {}};
    for (const auto& task : tasks) {
      const auto count = [&](const char* label) {
        return cat(std::ranges::count_if(predictions, [&](const PredictionRecord& one) {
          return one.true_task == task && (label == nullptr || one.label == label);
        }));
      };
      table.rows.push_back(
          {task, count(nullptr), count("unknown"), count("normal"), count("defect")});
    }
    return heading(id("unknown"), "Never taught",
                   "Images of products that the model has not learned. The right answer is "
                   "unknown.") +
           html_table(table) + example_rows(seed, predictions, tasks);
  }

  std::string small_print() const {
    std::string html = heading(id("notes"), "Notes", "");
    std::vector<std::string> notes;
    for (const auto& seed : run_.seeds) {
      for (const auto& note : seed.notes) {
        if (std::ranges::count(notes, note) == 0) notes.push_back(note);
      }
    }
    html += "<ul class=\"notes\">\n";
    for (const auto& note : notes) html += cat("<li>", escape_html(note), "</li>\n");
    html += notes.empty() ? "<li>none</li></ul>\n" : "</ul>\n";
    const auto pairs = [](const std::string& title, const auto& values) {
      Table table{.title = title, .columns = {"name", "value"}, .rows = {}, .n_names = 2};
      for (const auto& [name, value] : values) table.rows.push_back({name, value});
      return table.rows.empty() ? std::string() : html_table(table);
    };
    html += cat("<details><summary>Settings and machine</summary>\n",
                pairs("Settings", run_.settings), pairs("Options of the method", run_.options),
                pairs("Machine and versions", run_.seeds.front().environment),
                "<p>Network: ", escape_html(run_.seeds.front().network), "</p></details>\n");
    return html;
  }

  const RunRecord& run_;
  std::string name_, id_;
  const ReportOptions& options_;
};

std::string contents(std::span<const RunRecord> runs, const std::vector<std::string>& names) {
  std::string html = "<nav class=\"contents\" aria-label=\"Contents\">";
  for (std::size_t run = 0; run < runs.size(); ++run) {
    html += cat("<a href=\"#run", run, "\">", escape_html(names[run]), "</a>\n");
  }
  return html + "</nav>\n";
}

}  // namespace

std::string make_html_report(std::span<const RunRecord> runs, const ReportOptions& options) {
  CADENZA_REQUIRE(!runs.empty(), ErrorCode::kInvalidArgument,
                  "report: no run was given; name the --out folder of a `cadenza benchmark`");
  const auto names = run_names(runs);
  const bool is_alone = runs.size() == 1;
  std::string html =
      cat("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta "
          "name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
          is_alone ? escape_html(names[0]) : cat(runs.size(), " runs"),
          " · Cadenza</title>\n<style>", report_style(), "</style>\n</head>\n<body>\n<main>\n");
  if (!is_alone) {
    html +=
        cat("<p class=\"overline\">Cadenza</p>\n<h1>", runs.size(), " runs compared</h1>\n",
            "<p class=\"soft\">Mean and standard deviation over seeds, after the last step. The "
            "best of a column stands out.</p>\n",
            contents(runs, names));
    for (const auto& table : comparison_tables(runs)) html += html_table(table);
  }
  for (std::size_t run = 0; run < runs.size(); ++run) {
    html += RunPart(runs[run], names[run], run, options).html(is_alone);
  }
  const auto& environment = runs.front().seeds.front().environment;
  const auto version =
      std::ranges::find_if(environment, [](const auto& entry) { return entry.first == "cadenza"; });
  html += cat("</main>\n<footer>Cadenza",
              version == environment.end() ? "" : " " + escape_html(version->second),
              ". Scores are raw, higher is more anomalous.</footer>\n</body>\n</html>\n");
  return html;
}

fs::path write_run_report(const fs::path& folder, const ReportOptions& options) {
  const std::vector<RunRecord> runs = {read_run(folder)};
  const auto file = folder / "report.html";
  write_file_atomic(file, make_html_report(runs, options));
  return file;
}

}  // namespace cadenza
