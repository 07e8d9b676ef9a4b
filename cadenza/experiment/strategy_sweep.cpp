#include "cadenza/experiment/strategy_sweep.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <set>

#include "cadenza/base/error.h"
#include "cadenza/base/file.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 4> kScores = {"ACC", "forgetting", "BWT", "FWT"};

bool is_file_name(const std::string& name) {
  return !name.empty() && name.front() != '.' &&
         name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
             "_.+-") == std::string::npos;
}

Json mean_and_deviation(const std::vector<double>& values) {
  if (values.empty()) return nullptr;
  double mean = 0, squares = 0;
  for (const auto value : values) mean += value / double(values.size());
  for (const auto value : values) squares += (value - mean) * (value - mean);
  const auto n = double(values.size());
  return {{"mean", mean}, {"std", n > 1 ? Json(std::sqrt(squares / (n - 1))) : Json(nullptr)}};
}

double sum(const Json& numbers) {
  double total = 0;
  for (const auto& number : numbers) total += number.is_number() ? number.get<double>() : 0;
  return total;
}

/// Bytes of method and strategy after every step of one seed's run.
struct KeptBytes {
  std::vector<std::int64_t> model, strategy;
};

KeptBytes kept_bytes(const fs::path& seed_folder, std::size_t n_steps) {
  KeptBytes kept;
  for (std::size_t step = 0; step < n_steps; ++step) {
    const auto number = cat(1000 + step).substr(1);
    const auto record = read_json(seed_folder / "steps" / cat("train-", number, ".json"));
    kept.model.push_back(record.at("bytes").at("state_total").get<std::int64_t>());
    std::int64_t strategy = 0;
    for (const auto& file : fs::directory_iterator(seed_folder / "steps")) {
      const auto name = file.path().filename().string();
      if (name.starts_with(cat("strategy-", number))) {
        strategy = static_cast<std::int64_t>(file.file_size());
      }
    }
    kept.strategy.push_back(strategy);
  }
  return kept;
}

Json row_of(const SweepEntry& entry, const fs::path& folder) {
  std::map<std::string, std::vector<double>> scores;
  std::vector<double> train, evaluate;
  Json row = {{"name", entry.name}, {"method", entry.settings.method}};
  row["strategy"] = entry.settings.strategy.empty() ? Json(nullptr) : Json(entry.settings.strategy);
  row["seeds"] = entry.settings.seeds;
  KeptBytes kept;
  for (const auto seed : entry.settings.seeds) {
    const auto seed_folder = folder / cat("seed-", seed);
    const auto results = read_json(seed_folder / "results.json");
    const auto& continual = results.at("continual").at("image_AUROC");
    for (const auto* score : kScores) {
      const auto found = continual.find(score);
      if (found != continual.end() && found->is_number()) scores[score].push_back(*found);
    }
    train.push_back(sum(results.at("seconds").at("train")));
    evaluate.push_back(sum(results.at("seconds").at("evaluate")));
    kept = kept_bytes(seed_folder, results.at("steps").size());
  }
  for (const auto* score : kScores) row[score] = mean_and_deviation(scores[score]);
  row["seconds"] = {{"train", mean_and_deviation(train).at("mean")},
                    {"evaluate", mean_and_deviation(evaluate).at("mean")}};
  row["bytes"] = {{"model", kept.model.back()},
                  {"strategy", kept.strategy.back()},
                  {"total", kept.model.back() + kept.strategy.back()}};
  row["bytes_curve"] = Json::array();
  for (std::size_t step = 0; step < kept.model.size(); ++step) {
    row["bytes_curve"].push_back(kept.model[step] + kept.strategy[step]);
  }
  return row;
}

/// Training time of every row over that of the same method's row "finetune".
void add_overheads(Json& rows) {
  std::map<std::string, double> finetune;
  for (const auto& row : rows) {
    if (row.contains("seconds") && row.at("strategy") == "finetune") {
      finetune[row.at("method")] = row.at("seconds").at("train");
    }
  }
  for (auto& row : rows) {
    if (!row.contains("seconds")) continue;
    const auto base = finetune.find(row.at("method").get<std::string>());
    const bool is_known = base != finetune.end() && base->second > 0;
    row["seconds_over_finetune"] =
        is_known ? Json(row.at("seconds").at("train").get<double>() / base->second) : Json(nullptr);
  }
}

std::string fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string with_deviation(const Json& score) {
  if (score.is_null()) return "";
  const auto mean = fixed(score.at("mean"), 3);
  return score.at("std").is_null() ? mean : cat(mean, " ± ", fixed(score.at("std"), 3));
}

std::string csv_of(const Json& rows) {
  std::string text =
      "name,method,strategy,ACC,ACC_std,forgetting,forgetting_std,BWT,BWT_std,FWT,FWT_std,"
      "bytes_model,bytes_strategy,seconds_train,seconds_evaluate,seconds_over_finetune\n";
  const auto number = [](const Json& value) { return value.is_number() ? value.dump() : ""; };
  for (const auto& row : rows) {
    if (row.contains("error")) continue;
    text += cat(row.at("name").get<std::string>(), ",", row.at("method").get<std::string>(), ",",
                row.at("strategy").is_null() ? "" : row.at("strategy").get<std::string>());
    for (const auto* score : kScores) {
      const auto& value = row.at(score);
      text +=
          value.is_null() ? ",," : cat(",", number(value.at("mean")), ",", number(value.at("std")));
    }
    text += cat(",", number(row.at("bytes").at("model")), ",",
                number(row.at("bytes").at("strategy")), ",", number(row.at("seconds").at("train")),
                ",", number(row.at("seconds").at("evaluate")), ",",
                number(row.at("seconds_over_finetune")), "\n");
  }
  return text;
}

void write_comparison(const Json& comparison, const fs::path& folder) {
  write_file_atomic(folder / "comparison.json", comparison.dump(1) + "\n");
  write_file_atomic(folder / "comparison.csv", csv_of(comparison.at("rows")));
  write_file_atomic(folder / "comparison.md", comparison_table(comparison));
}

void require_entries(const std::vector<SweepEntry>& entries) {
  CADENZA_REQUIRE(!entries.empty(), ErrorCode::kInvalidArgument, "comparison: nothing to compare");
  std::set<std::string> names;
  for (const auto& entry : entries) {
    CADENZA_REQUIRE(is_file_name(entry.name), ErrorCode::kInvalidArgument, "comparison: '",
                    entry.name, "' cannot be the name of a folder");
    CADENZA_REQUIRE(names.insert(entry.name).second, ErrorCode::kInvalidArgument, "comparison: '",
                    entry.name, "' stands twice");
  }
}

}  // namespace

std::vector<SweepEntry> strategy_entries(const ExperimentSettings& base,
                                         const std::vector<std::string>& strategies,
                                         const StrategyRegistry& known) {
  const auto names = strategies.empty() ? known.names() : strategies;
  std::vector<SweepEntry> entries;
  for (const auto& name : names) {
    known.find(name);
    entries.push_back({name, base});
    entries.back().settings.strategy = name;
    entries.back().settings.strategy_options.clear();
  }
  for (const auto& [key, value] : base.strategy_options) {
    const auto dot = key.find('.');
    const auto owner = key.substr(0, dot);
    const auto entry = std::ranges::find(entries, owner, &SweepEntry::name);
    CADENZA_REQUIRE(dot != std::string::npos && entry != entries.end(), ErrorCode::kInvalidArgument,
                    "strategy option '", key, "': expected <strategy>.<option> with one of ",
                    join(names), "; for instance ", names.front(), ".option=value");
    entry->settings.strategy_options[key.substr(dot + 1)] = value;
  }
  return entries;
}

Json run_strategies(const std::vector<SweepEntry>& entries, const Dataset& dataset,
                    const ExperimentParts& parts, const fs::path& folder,
                    const RunControl& control) {
  require_entries(entries);
  fs::create_directories(folder);
  Json comparison = {{"format", 1}, {"rows", Json::array()}};
  for (const auto& entry : entries) {
    const auto run_folder = folder / entry.name;
    try {
      run_experiment(entry.settings, dataset, parts, run_folder, control);
      comparison["rows"].push_back(row_of(entry, run_folder));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kUnsupported && error.code() != ErrorCode::kNumeric) throw;
      comparison["rows"].push_back(
          {{"name", entry.name}, {"method", entry.settings.method}, {"error", error.what()}});
      comparison["rows"].back()["strategy"] = entry.settings.strategy;
      control.progress->warn(cat(entry.name, ": ", error.what()));
    }
    add_overheads(comparison["rows"]);
    write_comparison(comparison, folder);
  }
  return comparison;
}

std::string comparison_table(const Json& comparison) {
  std::string text =
      "| run | ACC | FM | BWT | FWT | kept MB: model + strategy | seconds: training | over "
      "finetune "
      "|\n|---|---|---|---|---|---|---|---|\n";
  for (const auto& row : comparison.at("rows")) {
    text += cat("| ", row.at("name").get<std::string>(), " | ");
    if (row.contains("error")) {
      text += cat(row.at("error").get<std::string>(), " | | | | | | |\n");
      continue;
    }
    for (const auto* score : kScores) text += with_deviation(row.at(score)) + " | ";
    const auto megabytes = [&](const char* which) {
      return fixed(row.at("bytes").at(which).get<double>() / 1e6, 1);
    };
    const auto& overhead = row.at("seconds_over_finetune");
    text += cat(megabytes("model"), " + ", megabytes("strategy"), " | ",
                fixed(row.at("seconds").at("train"), 1), " | ",
                overhead.is_null() ? "" : cat("x ", fixed(overhead, 2)), " |\n");
  }
  return text;
}

}  // namespace cadenza
