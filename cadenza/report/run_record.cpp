#include "cadenza/report/run_record.h"

#include <algorithm>
#include <string_view>

#include "cadenza/base/error.h"
#include "cadenza/base/file.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLimitBytes = 1 << 28;

/// A JSON object out of a file, whose members are taken with their type checked.
class Members {
 public:
  Members(const Json& json, std::string where) : json_(json), where_(std::move(where)) {
    require(json.is_object(), "an object", json);
  }

  bool has(const std::string& key) const { return json_.contains(key) && !json_.at(key).is_null(); }
  const Json& raw(const std::string& key) const { return json_member(json_, key, where_); }
  const Json& json() const { return json_; }
  std::string at(const std::string& key) const { return cat(where_, ".", key); }

  Members object(const std::string& key) const { return {raw(key), at(key)}; }
  std::string text(const std::string& key) const {
    const auto& value = raw(key);
    require(value.is_string(), "a text", value, key);
    return value.get<std::string>();
  }
  std::string text_or_empty(const std::string& key) const { return has(key) ? text(key) : ""; }
  bool flag_or(const std::string& key, bool otherwise) const {
    if (!has(key)) return otherwise;
    require(raw(key).is_boolean(), "true or false", raw(key), key);
    return raw(key).get<bool>();
  }
  std::optional<double> number(const std::string& key) const {
    return has(key) ? std::optional(number_of(raw(key), key)) : std::nullopt;
  }
  std::optional<std::int64_t> integer(const std::string& key) const {
    const auto value = number(key);
    return value ? std::optional(static_cast<std::int64_t>(*value)) : std::nullopt;
  }
  std::vector<double> numbers(const std::string& key) const {
    std::vector<double> values;
    if (!has(key)) return values;
    for (const auto& value : list(key)) values.push_back(number_of(value, key));
    return values;
  }
  std::vector<std::string> texts(const std::string& key) const {
    std::vector<std::string> values;
    if (!has(key)) return values;
    for (const auto& value : list(key)) {
      require(value.is_string(), "texts", value, key);
      values.push_back(value.get<std::string>());
    }
    return values;
  }
  const Json& list(const std::string& key) const {
    require(raw(key).is_array(), "a list", raw(key), key);
    return raw(key);
  }
  std::map<std::string, std::optional<double>> numbers_by_name() const {
    std::map<std::string, std::optional<double>> values;
    for (const auto& [key, value] : json_.items()) values[key] = number(key);
    return values;
  }
  double number_of(const Json& value, const std::string& key) const {
    require(value.is_number(), "a number", value, key);
    return value.get<double>();
  }
  void require(bool is_right, const char* expected, const Json& found,
               const std::string& key = "") const {
    CADENZA_REQUIRE(is_right, ErrorCode::kCorruptData, key.empty() ? where_ : at(key),
                    ": expected ", expected, ", found ", found.dump().substr(0, 60));
  }

 private:
  const Json& json_;
  std::string where_;
};

std::vector<std::pair<std::string, std::string>> plain_texts(const Json& object) {
  std::vector<std::pair<std::string, std::string>> texts;
  for (const auto& [key, value] : object.items()) {
    if (value.is_null()) continue;
    texts.emplace_back(key, value.is_string() ? value.get<std::string>() : value.dump());
  }
  return texts;
}

MetricMatrix read_matrix(const Members& all, const std::string& metric, std::size_t n_steps,
                         std::size_t n_tasks) {
  MetricMatrix matrix;
  for (const auto& row : all.list(metric)) {
    all.require(row.is_array() && row.size() == n_tasks, "a value a task in each row", row, metric);
    auto& values = matrix.emplace_back();
    for (const auto& value : row) {
      values.push_back(value.is_null() ? std::nullopt
                                       : std::optional(all.number_of(value, metric)));
    }
  }
  all.require(matrix.size() == n_steps, "a row a step", Json(matrix.size()), metric);
  return matrix;
}

RoutingRecord read_routing(const Members& routing, std::size_t n_tasks) {
  RoutingRecord record{.accuracy = routing.number("accuracy"),
                       .accuracy_normal = routing.number("accuracy_normal"),
                       .accuracy_defect = routing.number("accuracy_defect"),
                       .rejected = routing.number("rejected"),
                       .confusion = {}};
  for (const auto& row : routing.list("confusion")) {
    routing.require(row.is_array() && row.size() == n_tasks, "a count a task", row, "confusion");
    auto& counts = record.confusion.emplace_back();
    for (const auto& count : row) {
      counts.push_back(static_cast<std::int64_t>(routing.number_of(count, "confusion")));
    }
  }
  routing.require(record.confusion.size() == n_tasks, "a row a task", Json(record.confusion.size()),
                  "confusion");
  return record;
}

void read_calibration(const Members& calibration, SeedRecord& seed) {
  seed.target_fpr = calibration.number("target_fpr").value_or(seed.target_fpr);
  const auto realised = calibration.object("realised_fpr");
  for (const auto& [task, value] : realised.json().items()) {
    auto& rates = seed.rates[task];
    rates.realised_fpr = realised.number(task);
    rates.recall = calibration.object("recall").number(task);
    rates.recall_defect = calibration.object("recall_defect").number(task);
    const auto bounds = calibration.object("interval95").numbers(task);
    if (bounds.size() == 2) rates.interval95 = {bounds[0], bounds[1]};
  }
}

void read_latency(const Members& latency, SeedRecord& seed) {
  for (const auto& [stage, value] : latency.json().items()) {
    if (!value.is_object()) continue;
    const auto percentiles = latency.object(stage);
    const auto p50 = percentiles.number("p50"), p95 = percentiles.number("p95"),
               p99 = percentiles.number("p99");
    if (p50 && p95 && p99) seed.latency_ms.push_back({stage, {*p50, *p95, *p99}});
  }
}

SeedRecord read_seed(const Members& results, const RunRecord& run, const fs::path& folder) {
  SeedRecord seed{.folder = folder};
  seed.seed = static_cast<std::uint64_t>(results.integer("seed").value_or(0));
  const auto matrices = results.object("matrix");
  for (const auto& [metric, rows] : matrices.json().items()) {
    seed.matrix[metric] = read_matrix(matrices, metric, run.steps.size(), run.order.size());
    seed.final_mean[metric] = results.object("final").object(metric).number("mean");
    seed.continual[metric] = results.object("continual").object(metric).numbers_by_name();
  }
  seed.pooled = results.object("pooled").numbers_by_name();
  if (results.has("routing")) {
    seed.routing = read_routing(results.object("routing"), run.order.size());
  }
  read_calibration(results.object("calibration"), seed);
  seed.train_seconds = results.object("seconds").numbers("train");
  seed.evaluate_seconds = results.object("seconds").numbers("evaluate");
  if (results.has("latency_ms")) read_latency(results.object("latency_ms"), seed);
  const auto bytes = results.object("bytes");
  for (const auto value : bytes.numbers("state_per_task")) {
    seed.state_bytes.push_back(static_cast<std::int64_t>(value));
  }
  seed.state_total_bytes = bytes.integer("state_total");
  seed.peak_rss_bytes = bytes.integer("peak_rss");
  seed.environment = plain_texts(results.object("environment").json());
  seed.network = results.object("network").text_or_empty("name");
  seed.notes = results.texts("notes");
  return seed;
}

void read_head(const Members& results, RunRecord& run) {
  run.method = results.text("method");
  run.strategy = results.text_or_empty("strategy");
  run.protocol = results.text("protocol");
  run.mode = results.text("mode");
  run.test_selected = results.flag_or("test_selected", run.mode == "paper");
  run.known_task = results.flag_or("known_task", false);
  run.options = plain_texts(results.object("options").json());
  run.order = results.texts("order");
  for (const auto& step : results.list("steps")) {
    auto& tasks = run.steps.emplace_back();
    results.require(step.is_array(), "a list of tasks a step", step, "steps");
    for (const auto& task : step) {
      results.require(task.is_string() && run.learned_in.size() < run.order.size() &&
                          run.order[run.learned_in.size()] == task.get<std::string>(),
                      "the tasks of `order`, cut into steps", task, "steps");
      tasks.push_back(task.get<std::string>());
      run.learned_in.push_back(std::ssize(run.steps) - 1);
    }
  }
  results.require(!run.order.empty() && run.learned_in.size() == run.order.size(),
                  "every task of `order` in a step", results.raw("steps"), "steps");
}

std::vector<fs::path> finished_seeds(const fs::path& folder) {
  std::vector<fs::path> seeds;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(folder, failure)) {
    const bool is_seed = entry.path().filename().string().starts_with("seed-");
    if (is_seed && fs::exists(entry.path() / "results.json")) seeds.push_back(entry.path());
  }
  CADENZA_REQUIRE(!failure, ErrorCode::kNotFound, folder.string(), ": ", failure.message(),
                  "; name the --out folder of a `cadenza benchmark`");
  CADENZA_REQUIRE(!seeds.empty(), ErrorCode::kNotFound, folder.string(),
                  ": no seed-K/results.json there; name the --out folder of a `cadenza benchmark` "
                  "that has finished a seed");
  return seeds;
}

Json read_limited(const fs::path& file) {
  const auto bytes = read_file(file, kLimitBytes);
  return parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file.string());
}

}  // namespace

RunRecord read_run(const fs::path& folder) {
  RunRecord run{.folder = folder};
  for (const auto& seed_folder : finished_seeds(folder)) {
    const auto file = seed_folder / "results.json";
    const auto json = read_limited(file);
    const Members results(json, file.string());
    const auto format = results.integer("format").value_or(0);
    CADENZA_REQUIRE(format <= 1, ErrorCode::kUnsupported, file.string(), ": format ", format,
                    ", this version reads 1; use the version of Cadenza that wrote it, or newer");
    RunRecord head;
    read_head(results, head);
    if (run.seeds.empty()) {
      head.folder = folder;
      run = head;
    }
    CADENZA_REQUIRE(head.method == run.method && head.order == run.order && head.steps == run.steps,
                    ErrorCode::kCorruptData, file.string(), ": expected method ", run.method,
                    " on the tasks of the other seeds, found ", head.method,
                    "; a run folder holds one run: move it elsewhere");
    run.seeds.push_back(read_seed(results, run, seed_folder));
  }
  std::ranges::sort(run.seeds, {}, &SeedRecord::seed);
  if (fs::exists(folder / "config.resolved.json")) {
    const auto config = read_limited(folder / "config.resolved.json");
    if (config.is_object()) run.settings = plain_texts(config);
  }
  return run;
}

std::vector<PredictionRecord> read_predictions(const fs::path& file) {
  const auto bytes = read_file(file, kLimitBytes);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::vector<PredictionRecord> records;
  std::int64_t n_lines = 0;
  for (std::size_t start = 0; start < text.size();) {
    const auto end = std::min(text.find('\n', start), text.size());
    const auto name = cat(file.string(), ": line ", ++n_lines);
    const auto json = parse_json(text.substr(start, end - start), name);
    start = end + 1;
    const Members line(json, name);
    if (line.has("error")) continue;
    PredictionRecord record{.file = line.text("file")};
    record.true_task = line.text_or_empty("true_task");
    const auto truth = line.text_or_empty("true_label");
    if (!truth.empty()) record.is_defect = truth == "defect";
    if (line.has("task")) record.task = line.text("task");
    if (line.has("nearest_task")) record.nearest_task = line.text("nearest_task");
    record.label = line.text("label");
    record.score = line.number("score");
    record.threshold = line.number("threshold");
    record.task_distance = line.number("task_distance");
    if (line.has("regions")) {
      for (const auto& region : line.list("regions")) {
        const Members box(region, line.at("regions"));
        record.regions.push_back({box.integer("x").value_or(0), box.integer("y").value_or(0),
                                  box.integer("width").value_or(0),
                                  box.integer("height").value_or(0)});
      }
    }
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace cadenza
