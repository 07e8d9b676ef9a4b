#include "cadenza/cli/run.h"

#include <ostream>

#include "cadenza/base/file.h"
#include "cadenza/base/json.h"
#include "cadenza/cli/example_maps.h"
#include "cadenza/report/html_report.h"
#include "cadenza/report/run_tables.h"

namespace cadenza {

namespace {

namespace fs = std::filesystem;

/// Comparison tables, and those of the run itself when there is but one.
std::vector<Table> all_tables(std::span<const RunRecord> runs) {
  auto tables = comparison_tables(runs);
  if (runs.size() == 1) {
    for (auto&& table : run_tables(runs.front())) tables.push_back(table);
  }
  return tables;
}

std::string written_as(const std::string& format, std::span<const RunRecord> runs) {
  if (format == "csv") return figures_csv(runs);
  std::string text;
  for (const auto& table : all_tables(runs)) text += markdown(table);
  return text;
}

fs::path default_file(std::span<const RunRecord> runs) {
  return runs.size() == 1 ? runs.front().folder / "report.html" : fs::path("report.html");
}

int run_report(const CommandContext& context) {
  const auto& invocation = context.invocation;
  std::vector<RunRecord> runs;
  for (const auto& folder : invocation.list("runs")) runs.push_back(read_run(folder));

  const auto& format = invocation.text("format");
  const bool is_html = format == "html";
  fs::path file = invocation.text_or("out", is_html ? default_file(runs).string() : "");
  if (is_html) {
    context.progress.begin("report", std::ssize(runs));
    const ReportOptions options{.map_of = example_maps(context), .progress = &context.progress};
    write_file_atomic(file, make_html_report(runs, options));
    context.progress.advance(std::ssize(runs));
    context.progress.end();
  } else if (!file.empty()) {
    write_file_atomic(file, written_as(format, runs));
  }

  if (invocation.flag("json")) {
    const Json result = {{"report", file.empty() ? Json(nullptr) : Json(file.string())},
                         {"runs", run_names(runs)}};
    context.out << result.dump(2) << '\n';
  } else if (is_html) {
    for (const auto& table : comparison_tables(runs)) context.out << plain_text(table);
    context.out << file.string() << '\n';
  } else if (file.empty()) {
    context.out << written_as(format, runs);
  } else {
    context.out << file.string() << '\n';
  }
  return kExitDone;
}

}  // namespace

void register_report(RunTable& table) { table.add("report", run_report); }

}  // namespace cadenza
