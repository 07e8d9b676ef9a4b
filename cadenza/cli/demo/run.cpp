#include "cadenza/cli/run.h"

#include <algorithm>
#include <chrono>
#include <ostream>
#include <tuple>

#include "cadenza/base/file.h"
#include "cadenza/base/json.h"
#include "cadenza/cli/demo/products.h"
#include "cadenza/cli/example_maps.h"
#include "cadenza/cli/model_access.h"
#include "cadenza/experiment/builtin_parts.h"
#include "cadenza/experiment/runner.h"
#include "cadenza/inspector/inspector.h"
#include "cadenza/network/registry.h"
#include "cadenza/report/figure.h"
#include "cadenza/report/html_report.h"
#include "cadenza/report/table.h"

namespace cadenza {

namespace {

namespace fs = std::filesystem;

constexpr const char* kNeverTaught = "grass";

fs::path photographs_folder(const Invocation& invocation) {
  if (invocation.has("photographs")) return invocation.text("photographs");
  return default_weights_folder().parent_path() / "demo";
}

/// Everything that was learned or is to be told from it, in the order in which it is taught.
struct Products {
  Dataset taught;
  std::vector<std::string> order;
  std::vector<Sample> never_taught;
};

Products lay_out(bool has_solar_cells, const fs::path& photographs, const fs::path& out,
                 Progress& progress) {
  const auto textures = photographs / "textures" / "skimage" / "data";
  CADENZA_REQUIRE(
      fs::exists(textures) && (!has_solar_cells || fs::exists(photographs / "elpv")),
      ErrorCode::kNotFound, photographs.string(),
      ": the demo's photographs are not there; run `make demo`, or `tools/demo_data.sh ",
      has_solar_cells ? "all" : "textures", "` in the repository");
  fs::remove_all(out);
  Products products;
  std::vector<Sample> samples;
  if (has_solar_cells) {
    samples = write_solar_cells(photographs / "elpv", out);
    products.order = {"solar_mono", "solar_poly"};
  }
  products.order.insert(products.order.end(), {"brick", "gravel"});
  for (auto&& sample : write_textures(textures, out, progress)) samples.push_back(sample);
  for (auto&& sample : samples) {
    const bool is_taught = sample.task != kNeverTaught;
    (is_taught ? products.taught.samples : products.never_taught).push_back(std::move(sample));
  }
  std::ranges::sort(products.taught.samples, {}, [](const Sample& sample) {
    return std::tie(sample.task, sample.split, sample.defect_type, sample.file);
  });
  products.taught.layout = "mvtec";
  products.taught.root = out;
  products.taught.tasks = products.order;
  std::ranges::sort(products.taught.tasks);
  return products;
}

/// Judges images of what the model has not learned; returns how many were called unknown and writes
/// the lines that the report shows.
std::int64_t judge_never_taught(const Inspector& model, const std::vector<Sample>& samples,
                                const fs::path& file, const CommandContext& context) {
  context.progress.begin(kNeverTaught + std::string(", never taught"), std::ssize(samples));
  std::string lines;
  std::int64_t n_unknown = 0;
  for (const auto& sample : samples) {
    CADENZA_REQUIRE(!context.stop.stop_requested(), ErrorCode::kCancelled, "demo: stopped");
    const auto verdict = model.predict(sample.file, {.task = {}, .makes_map = false});
    n_unknown += verdict.label == Label::kUnknown;
    Json line = {{"file", sample.file.string()}, {"true_task", sample.task}};
    line.update(to_json(verdict));
    lines += line.dump() + "\n";
    context.progress.advance(1);
  }
  context.progress.end();
  write_file_atomic(file, lines);
  return n_unknown;
}

Table summary_table(const RunRecord& run) {
  const auto& seed = run.seeds.front();
  Table table{.columns = {"product", "image AUROC", "pixel AUPR", "recognised", "defects found",
                          "false alarms"},
              .rows = {}};
  for (std::size_t task = 0; task < run.order.size(); ++task) {
    const auto& name = run.order[task];
    const auto last = [&](const char* metric) {
      return figure_text(seed.matrix.at(metric).back()[task], Unit::kShare);
    };
    std::string recognised = "–";
    if (seed.routing) {
      const auto& counts = seed.routing->confusion[task];
      std::int64_t sum = 0;
      for (const auto count : counts) sum += count;
      recognised = cat(counts[task], " of ", sum);
    }
    const auto& rates = seed.rates.at(name);
    table.rows.push_back({name, last("image_AUROC"), last("pixel_AUPR"), recognised,
                          figure_text(rates.recall, Unit::kShare),
                          figure_text(rates.realised_fpr, Unit::kShare)});
  }
  return table;
}

int run_demo(const CommandContext& context) {
  const auto start = std::chrono::steady_clock::now();
  const auto& invocation = context.invocation;
  auto parts = builtin_parts(environment_of(context));
  parts.methods = context.methods;
  const auto& method = invocation.text("method");
  CADENZA_REQUIRE(parts.methods.find(method).info.picks_task, ErrorCode::kInvalidArgument,
                  "--method ", method,
                  ": the demo tells no product beforehand, and this method "
                  "must be told; `cadenza methods NAME` says which find out by themselves");
  const fs::path out = invocation.text("out");
  const auto products = lay_out(invocation.text("data") == "all", photographs_folder(invocation),
                                out / "products", context.progress);

  const ExperimentSettings settings{.method = method,
                                    .options = parse_settings(invocation.list("set")),
                                    .order = products.order,
                                    .hold_back = true};
  const auto run_folder = out / "run";
  fs::remove_all(run_folder);
  run_experiment(settings, products.taught, parts, run_folder,
                 {.stop = context.stop, .progress = &context.progress});

  const auto seed_folder = run_folder / "seed-0";
  const auto model = Inspector::open(
      seed_folder / "model", {.environment = parts.environment, .methods = &context.methods});
  const auto n_unknown =
      judge_never_taught(model, products.never_taught, seed_folder / kNeverTaughtFile, context);
  const auto report = write_run_report(
      run_folder, {.map_of = example_maps(context), .progress = &context.progress});

  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const auto run = read_run(run_folder);
  const auto n_never_taught = std::ssize(products.never_taught);
  if (invocation.flag("json")) {
    const Json result = {{"report", report.string()},
                         {"model", (seed_folder / "model").string()},
                         {"never_taught", {{"images", n_never_taught}, {"unknown", n_unknown}}},
                         {"seconds", seconds.count()},
                         {"results", read_json(seed_folder / "results.json").at("final")}};
    context.out << result.dump(2) << '\n';
    return kExitDone;
  }
  context.out << plain_text(summary_table(run)) << kNeverTaught << ", never taught: " << n_unknown
              << " of " << n_never_taught << " called unknown\n\n"
              << "model   " << (seed_folder / "model").string() << "\nreport  " << report.string()
              << "\ndone in " << figure_text(seconds.count(), Unit::kSeconds) << '\n';
  return kExitDone;
}

}  // namespace

void register_demo(RunTable& table) { table.add("demo", run_demo); }

}  // namespace cadenza
