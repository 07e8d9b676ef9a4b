#include "cadenza/cli/run.h"

#include <map>
#include <memory>
#include <ostream>
#include <utility>

#include "cadenza/base/file.h"
#include "cadenza/cli/benchmark/settings.h"
#include "cadenza/cli/example_maps.h"
#include "cadenza/cli/labelled_data.h"
#include "cadenza/cli/model_access.h"
#include "cadenza/cli/predict/prediction.h"
#include "cadenza/experiment/builtin_parts.h"
#include "cadenza/experiment/runner.h"
#include "cadenza/report/html_report.h"
#include "cadenza/report/picture_files.h"
#include "cadenza/report/run_tables.h"

namespace cadenza {

namespace {

namespace fs = std::filesystem;

/// Pictures go below the folder of the seed that draws them.
decltype(ExperimentParts::show) make_show(SavedPictures which) {
  if (!which.any()) return nullptr;
  const auto places = std::make_shared<std::map<fs::path, PictureFiles>>();
  return [which, places](const fs::path& folder, const Sample& sample,
                         std::span<const std::byte> bytes, Verdict& verdict) {
    auto& files = places->try_emplace(folder, folder, which).first->second;
    return files.write(sample.file, bytes, verdict);
  };
}

class Benchmark {
 public:
  explicit Benchmark(const CommandContext& context)
      : context_(context),
        given_(context.invocation),
        out_(given_.text("out")),
        parts_(builtin_parts(environment_of(context), given_.text_or("masks", ""))) {
    parts_.methods = context.methods;
    parts_.show = make_show(parse_saved_pictures(given_.text("save")));
    parts_.methods.find(given_.text("method"));  // before hours of reading
    dataset_ = read_labelled_data(context);
    settings_ = read_settings(given_, dataset_, parts_.strategies);
  }

  int run() {
    try {
      const auto strategies = compared_strategies(given_, parts_.strategies);
      return strategies.empty() ? run_one() : compare(strategies);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kCancelled) throw;
      throw Error(ErrorCode::kCancelled,
                  cat(out_.string(), ": stopped; the same command goes on from here"));
    }
  }

 private:
  RunControl control() const {
    return {.stop = context_.stop,
            .progress = &context_.progress,
            .evaluate_only = given_.flag("evaluate_only")};
  }

  int run_one() {
    const auto summary = run_experiment(settings_, dataset_, parts_, out_, control());
    write_file_atomic(out_ / "config.resolved.yaml", resolved_config(given_));
    const auto report = finish(out_);
    if (given_.flag("json")) {
      const Json result = {{"run", out_.string()},
                           {"report", report.string()},
                           {"summary", summary},
                           {"results", results_of(out_)}};
      context_.out << result.dump(2) << '\n';
    } else {
      const auto run = read_run(out_);
      context_.out << plain_text(product_table(run)) << '\n';
      for (const auto& table : comparison_tables(std::span(&run, 1))) {
        context_.out << plain_text(table) << '\n';
      }
      context_.out << "run     " << out_.string() << "\nreport  " << report.string() << '\n';
    }
    return n_failed_ > 0 ? kExitSomeFailed : kExitDone;
  }

  int compare(const std::vector<std::string>& strategies) {
    const auto entries = strategy_entries(settings_, strategies, parts_.strategies);
    const auto comparison = run_strategies(entries, dataset_, parts_, out_, control());
    write_file_atomic(out_ / "config.resolved.yaml", resolved_config(given_));
    std::vector<RunRecord> runs;
    for (const auto& row : comparison.at("rows")) {
      if (row.contains("error")) continue;
      const auto folder = out_ / row.at("name").get<std::string>();
      finish(folder);
      runs.push_back(read_run(folder));
    }
    CADENZA_REQUIRE(!runs.empty(), ErrorCode::kUnsupported, "no strategy could be run: ",
                    comparison["rows"][0]["error"].get<std::string>());
    const auto report = out_ / "report.html";
    write_file_atomic(report, make_html_report(runs, report_options()));
    if (given_.flag("json")) {
      const Json result = {
          {"run", out_.string()}, {"report", report.string()}, {"comparison", comparison}};
      context_.out << result.dump(2) << '\n';
    } else {
      context_.out << comparison_table(comparison) << "\nrun     " << out_.string() << "\nreport  "
                   << report.string() << '\n';
    }
    return n_failed_ > 0 ? kExitSomeFailed : kExitDone;
  }

  ReportOptions report_options() const {
    return {.map_of = example_maps(context_), .progress = &context_.progress};
  }

  Json results_of(const fs::path& folder) const {
    Json results = Json::array();
    for (const auto seed : settings_.seeds) {
      results.push_back(read_json(folder / cat("seed-", seed) / "results.json"));
    }
    return results;
  }

  /// Tables of predictions and the report of one run; returns the report.
  fs::path finish(const fs::path& folder) {
    for (const auto seed : settings_.seeds) {
      const auto place = folder / cat("seed-", seed);
      const auto lines = read_file(place / "predictions.jsonl");
      write_file_atomic(place / "predictions.csv",
                        tested_csv({reinterpret_cast<const char*>(lines.data()), lines.size()}));
    }
    for (const auto& results : results_of(folder)) {
      n_failed_ += results.value("failures", Json::array()).size();
    }
    return write_run_report(folder, report_options());
  }

  const CommandContext& context_;
  const Invocation& given_;
  fs::path out_;
  ExperimentParts parts_;
  Dataset dataset_;
  ExperimentSettings settings_;
  std::size_t n_failed_ = 0;
};

int run_benchmark(const CommandContext& context) { return Benchmark(context).run(); }

}  // namespace

void register_benchmark(RunTable& table) { table.add("benchmark", run_benchmark); }

}  // namespace cadenza
