#include "cadenza/experiment/strategy_sweep.h"

#include "tests/support/error_of.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/experiment/testing/toy_run.h"

namespace cadenza {
namespace {

using testing::HasSubstr;

struct ToySweep : ToyRun {
  ToySweep() {
    settings.method = "toy_linear";
    settings.seeds = {0, 1, 2};
  }
  Json sweep(const std::vector<std::string>& strategies) {
    return run_strategies(strategy_entries(settings, strategies, parts.strategies), dataset, parts,
                          folder.path() / "sweep");
  }
};

TEST(RunStrategies, ComparesEveryStrategyOverTheSeeds) {
  ToySweep toy;
  const auto comparison = toy.sweep({});
  const auto& rows = comparison.at("rows");
  ASSERT_EQ(rows.size(), toy.parts.strategies.names().size());
  for (const auto& row : rows) {
    ASSERT_FALSE(row.contains("error")) << row.dump();
    const auto name = row.at("name").get<std::string>();
    // A second opinion from the runs' own files: the mean over the seeds of each run's last row.
    double acc = 0;
    for (int seed = 0; seed < 3; ++seed) {
      const auto results =
          read_json(toy.folder.path() / "sweep" / name / cat("seed-", seed) / "results.json");
      const auto& last = results.at("matrix").at("image_AUROC").back();
      for (const auto& value : last) acc += value.get<double>() / 9;
    }
    EXPECT_NEAR(row.at("ACC").at("mean").get<double>(), acc, 1e-12) << name;
    EXPECT_EQ(row.at("bytes_curve").size(), 3);
    EXPECT_EQ(row.at("bytes_curve").back(), row.at("bytes").at("total"));
    if (name == "finetune") {
      EXPECT_EQ(row.at("seconds_over_finetune"), 1);
    }
    if (name == "replay") {
      EXPECT_GT(row.at("bytes").at("strategy"), 3 * 24 * 48 / 2);
    }
  }
  const auto table = comparison_table(comparison);
  EXPECT_THAT(table, HasSubstr("| finetune | "));
  EXPECT_THAT(table, HasSubstr(" ± "));
  EXPECT_EQ(read_json(toy.folder.path() / "sweep" / "comparison.json"), comparison);
}

TEST(RunStrategies, ResumesAndDoesNothingTwice) {
  ToySweep toy;
  int n_events = 0;
  toy.on_event = [&] { CADENZA_REQUIRE(++n_events != 400, ErrorCode::kCancelled, "as by Ctrl-C"); };
  const std::vector<std::string> strategies = {"finetune", "ewc", "replay"};
  EXPECT_EQ(error_of([&] { toy.sweep(strategies); }).code(), ErrorCode::kCancelled);
  toy.sweep(strategies);
  n_events = 1000;
  const auto again = toy.sweep(strategies);
  EXPECT_EQ(n_events, 1000) << "finished runs are only read";
  ToySweep whole;
  const auto expected = whole.sweep(strategies);
  for (std::size_t row = 0; row < 3; ++row) {
    EXPECT_EQ(again.at("rows")[row].at("ACC"), expected.at("rows")[row].at("ACC"));
  }
}

TEST(RunStrategies, ARefusedRowSaysWhyAndTheOthersStand) {
  ToySweep toy;
  auto entries = strategy_entries(toy.settings, {"finetune", "ewc"}, toy.parts.strategies);
  entries[1].settings.method = "toy_colour";  // shares no parameters
  entries.push_back({"memory", toy.settings});
  entries.back().settings.method = "toy_colour";
  const auto comparison =
      run_strategies(entries, toy.dataset, toy.parts, toy.folder.path() / "sweep");
  const auto& rows = comparison.at("rows");
  EXPECT_FALSE(rows[0].contains("error"));
  EXPECT_THAT(rows[1].at("error").get<std::string>(), HasSubstr("parameters that tasks share"));
  EXPECT_TRUE(rows[2].at("strategy").is_null());
  EXPECT_GT(rows[2].at("ACC").at("mean"), 0.9);
  EXPECT_TRUE(rows[2].at("seconds_over_finetune").is_null());
}

TEST(StrategyEntries, GiveEachStrategyItsOwnOptions) {
  ToySweep toy;
  toy.settings.strategy_options = {{"ewc.lambda", "3"}, {"replay.capacity", "9"}};
  const auto entries = strategy_entries(toy.settings, {"ewc", "replay"}, toy.parts.strategies);
  EXPECT_EQ(entries[0].settings.strategy_options, (OptionTexts{{"lambda", "3"}}));
  EXPECT_EQ(entries[1].settings.strategy_options, (OptionTexts{{"capacity", "9"}}));
  EXPECT_EQ(error_of([&] { strategy_entries(toy.settings, {"si"}, toy.parts.strategies); }).code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { strategy_entries({}, {"wec"}, toy.parts.strategies); }).code(),
            ErrorCode::kNotFound);
}

TEST(RunStrategies, RefusesDoubleAndUnusableNames) {
  ToySweep toy;
  const auto code = [&](const std::vector<SweepEntry>& entries) {
    return error_of([&] { run_strategies(entries, toy.dataset, toy.parts, toy.folder.path()); })
        .code();
  };
  EXPECT_EQ(code({}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({{"a", toy.settings}, {"a", toy.settings}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({{"../a", toy.settings}}), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cadenza
