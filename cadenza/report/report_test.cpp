#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/error_of.h"
#include "tests/support/temporary_folder.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/base/file.h"
#include "cadenza/base/json.h"
#include "cadenza/image/encode.h"
#include "cadenza/report/chart.h"
#include "cadenza/report/example.h"
#include "cadenza/report/figure.h"
#include "cadenza/report/html_report.h"
#include "cadenza/report/html_text.h"
#include "cadenza/report/run_tables.h"
#include "cadenza/report/style.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// results.json of a run over three products; `shift` moves every image AUROC.
Json results(int seed, double shift) {
  Json matrix = Json::array();
  matrix.push_back({0.90 + shift, nullptr, nullptr});
  matrix.push_back({0.95 + shift, 0.80 + shift, nullptr});
  matrix.push_back({0.85 + shift, 0.82 + shift, 0.70 + shift});
  const double mean = (0.85 + 0.82 + 0.70) / 3 + shift;
  Json empty = {
      {nullptr, nullptr, nullptr}, {nullptr, nullptr, nullptr}, {nullptr, nullptr, nullptr}};
  return {
      {"format", 1},
      {"method", "routed_memory"},
      {"options", {{"k", "9"}}},
      {"strategy", nullptr},
      {"network", {{"name", "efficientnet_lite0"}}},
      {"protocol", "1x3"},
      {"mode", "honest"},
      {"test_selected", false},
      {"known_task", false},
      {"seed", seed},
      {"order", {"a<b", "nut", "wood"}},
      {"steps", {{"a<b"}, {"nut"}, {"wood"}}},
      {"matrix", {{"image_AUROC", matrix}, {"pixel_AUPR", empty}}},
      {"final",
       {{"image_AUROC", {{"a<b", 0.85}, {"mean", mean}}}, {"pixel_AUPR", {{"mean", nullptr}}}}},
      {"continual",
       {{"image_AUROC", {{"ACC", mean}, {"forgetting", 0.04}}}, {"pixel_AUPR", Json::object()}}},
      {"pooled", {{"image_AUROC", 0.8}}},
      {"routing",
       {{"accuracy", 0.9},
        {"accuracy_normal", 1.0},
        {"accuracy_defect", 0.8},
        {"rejected", 0.1},
        {"confusion", {{9, 1, 0}, {0, 10, 0}, {0, 2, 8}}}}},
      {"calibration",
       {{"target_fpr", 0.05},
        {"realised_fpr", {{"a<b", 0.1}, {"pooled", 0.07}}},
        {"interval95", {{"a<b", {0.01, 0.3}}, {"pooled", {0.03, 0.15}}}},
        {"recall", {{"a<b", 0.5}, {"pooled", 0.6}}},
        {"recall_defect", {{"a<b", 0.4}, {"pooled", 0.5}}}}},
      {"seconds", {{"train", {1.0, 2.0, 3.0}}, {"evaluate", {0.1, 0.2, 0.3}}}},
      {"latency_ms",
       {{"decode", {{"p50", 1.0}, {"p95", 2.0}, {"p99", 3.0}}},
        {"render", nullptr},
        {"total", {{"p50", 6.5}, {"p95", 7.0}, {"p99", 8.0}}}}},
      {"bytes", {{"state_per_task", {440000, 450000, 460000}}, {"state_total", 1350000}}},
      {"environment", {{"cadenza", "0.1.0"}, {"threads", 2}}},
      {"notes", {"wood: pixel metrics undefined: no masks"}}};
}

void write_results(const fs::path& run, int seed, const Json& json) {
  const auto folder = run / cat("seed-", seed);
  fs::create_directories(folder);
  write_file_atomic(folder / "results.json", json.dump());
}

/// A picture and the line that predictions.jsonl has of it.
std::string predicted(const fs::path& file, const std::string& truth, const std::string& label,
                      double score) {
  const Image grey{20, 30, 1, std::vector<std::uint8_t>(600, 120)};
  fs::create_directories(file.parent_path());
  write_file_atomic(file, encode_png(grey));
  Json line = {{"file", file.string()}, {"true_task", "nut"}, {"task", "nut"},
               {"label", label},        {"score", score},     {"threshold", 5.0}};
  line["true_label"] = truth;
  line["regions"] = {{{"x", 2}, {"y", 3}, {"width", 4}, {"height", 5}}};
  return line.dump() + "\n";
}

class Report : public testing::Test {
 protected:
  Report() : run_(folder_.path() / "run") { write_results(run_, 0, results(0, 0)); }
  TemporaryFolder folder_;
  fs::path run_;
};

TEST_F(Report, MeanAndDeviationAreThoseOfAHandComputation) {
  write_results(run_, 1, results(1, 0.02));
  write_results(run_, 7, results(7, 0.04));
  const auto run = read_run(run_);
  ASSERT_EQ(run.seeds.size(), 3U);
  EXPECT_EQ(run.seeds[2].seed, 7U);
  const auto figures = headline_figures(run);
  const auto auroc = std::ranges::find(figures, "image AUROC", &NamedFigure::name);
  ASSERT_NE(auroc, figures.end());
  EXPECT_NEAR(*auroc->figure.mean, 0.79 + 0.02, 1e-12);
  EXPECT_NEAR(*auroc->figure.deviation, 0.02, 1e-12);
  EXPECT_EQ(figure_text(auroc->figure, Unit::kShare), "0.810 ± 0.020");
  EXPECT_THAT(defined_metrics(run), ElementsAre("image_AUROC"));
  EXPECT_NEAR(*deviation_matrix(run, "image_AUROC")[2][1], 0.02, 1e-12);
}

TEST_F(Report, ForgettingOfEachProductIsItsBestBeforeTheLastStepMinusTheLast) {
  const auto courses = task_courses(read_run(run_), "image_AUROC");
  ASSERT_EQ(courses.size(), 3U);
  EXPECT_NEAR(*courses[0].forgotten, 0.95 - 0.85, 1e-12);
  EXPECT_NEAR(*courses[1].forgotten, 0.80 - 0.82, 1e-12);
  EXPECT_FALSE(courses[2].forgotten.has_value());
  // The mean of the column is the run's own `forgetting`, computed in metric/continual_scores.
  const auto run = read_run(run_);
  const auto scores =
      continual_scores(run.seeds[0].matrix.at("image_AUROC"), run.learned_in, std::nullopt);
  EXPECT_NEAR((*courses[0].forgotten + *courses[1].forgotten) / 2, *scores.forgetting, 1e-12);
}

TEST_F(Report, TextsAreInTheUnitsOfTheirFigures) {
  EXPECT_EQ(figure_text(std::nullopt, Unit::kShare), "–");
  EXPECT_EQ(figure_text(-1e-9, Unit::kDifference), "0.000");
  EXPECT_EQ(figure_text(12.34, Unit::kSeconds), "12.3 s");
  EXPECT_EQ(figure_text(9999, Unit::kBytes), "9999 B");
  EXPECT_EQ(figure_text(450000, Unit::kBytes), "0.45 MB");
  EXPECT_EQ(figure_text(Figure{450000, 20000, 2}, Unit::kBytes), "0.45 ± 0.02 MB");
}

TEST_F(Report, IsOneFileThatNeedsNothingElse) {
  const auto file = write_run_report(run_);
  const auto bytes = read_file(file);
  const std::string html(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  EXPECT_EQ(file, run_ / "report.html");
  for (const char* other :
       {"http://", "https://", "<script", "<link", "@import", "url(", "src=\"/"}) {
    EXPECT_THAT(html, Not(HasSubstr(other))) << other;
  }
  EXPECT_THAT(html, HasSubstr("lang=\"en\""));
  EXPECT_THAT(html, HasSubstr("prefers-color-scheme: dark"));
  EXPECT_THAT(html, HasSubstr("@media print"));
}

TEST_F(Report, EveryNumberOfTheMatrixIsText) {
  const std::vector<RunRecord> runs = {read_run(run_)};
  const auto html = make_html_report(runs);
  for (const char* number : {">0.900<", ">0.950<", ">0.800<", ">0.850<", ">0.820<", ">0.700<"}) {
    EXPECT_THAT(html, HasSubstr(number));
  }
  EXPECT_THAT(html, HasSubstr("wood: pixel metrics undefined: no masks"));
  EXPECT_THAT(html, HasSubstr("a&lt;b"));
  EXPECT_THAT(html, Not(HasSubstr("a<b")));
}

TEST_F(Report, TestSelectedAndOracleStandWhereverTheRunIsShown) {
  auto json = results(0, 0);
  json["mode"] = "paper";
  json["test_selected"] = true;
  const auto other = folder_.path() / "other";
  write_results(other, 0, json);
  json["mode"] = "honest";
  json["test_selected"] = false;
  json["known_task"] = true;
  const auto told = folder_.path() / "told";
  write_results(told, 0, json);
  const std::vector<RunRecord> runs = {read_run(run_), read_run(other), read_run(told)};
  const auto html = make_html_report(runs);
  EXPECT_THAT(html, HasSubstr("<p class=\"caveat\">test-selected"));
  EXPECT_THAT(html, HasSubstr("<p class=\"caveat\">the task was told at test"));
  const auto tables = comparison_tables(runs);
  const auto text = plain_text(tables.front());
  EXPECT_THAT(text, HasSubstr("other †"));
  EXPECT_THAT(text, HasSubstr("† other: test-selected"));
  EXPECT_THAT(text, HasSubstr("† told: the task was told"));
}

TEST_F(Report, ComparesOnlyRunsOfOneProtocolAndMarksTheBest) {
  const auto better = folder_.path() / "better", alone = folder_.path() / "alone";
  write_results(better, 0, results(0, 0.1));
  auto json = results(0, 0.2);
  json["protocol"] = "2-1";
  json["steps"] = {{"a<b", "nut"}, {"wood"}};
  json["matrix"]["image_AUROC"].erase(0);
  json["matrix"]["pixel_AUPR"].erase(0);
  write_results(alone, 0, json);
  const std::vector<RunRecord> runs = {read_run(run_), read_run(better), read_run(alone)};
  const auto tables = comparison_tables(runs);
  ASSERT_EQ(tables.size(), 4U);  // two groups of figures for each of the two protocols
  EXPECT_EQ(tables[0].rows.size(), 2U);
  EXPECT_TRUE(tables[0].best.contains({1, 4}));
  EXPECT_FALSE(tables[0].best.contains({0, 4}));
  EXPECT_TRUE(tables[2].best.empty());
  EXPECT_THAT(markdown(tables[0]), HasSubstr("| **0.890** |"));
}

TEST_F(Report, ExamplesAreChosenByRuleAndDrawnWithTheirMaps) {
  std::string lines;
  const auto at = [&](const char* name) { return folder_.path() / "nut" / "test" / name; };
  lines += predicted(at("good/1.png"), "normal", "normal", 1);
  lines += predicted(at("good/2.png"), "normal", "normal", 2);
  lines += predicted(at("good/3.png"), "normal", "defect", 6);
  lines += predicted(at("hole/1.png"), "defect", "normal", 3);
  lines += predicted(at("hole/2.png"), "defect", "normal", 4);
  lines += predicted(at("hole/3.png"), "defect", "defect", 9);
  write_file_atomic(run_ / "seed-0" / "predictions.jsonl", lines);
  const auto chosen =
      choose_examples(read_predictions(run_ / "seed-0" / "predictions.jsonl"), "nut");
  std::vector<std::string> names;
  for (const auto& one : chosen) names.push_back(one.prediction.file.lexically_relative(at("")));
  EXPECT_THAT(names, ElementsAre("good/2.png", "hole/2.png", "hole/1.png", "good/3.png"));

  ReportOptions options;
  options.map_of = [](const SeedRecord&, const PredictionRecord&) {
    return ExampleMap{{20, 30, std::vector<float>(600, 2)}, 1.0};
  };
  const std::vector<RunRecord> runs = {read_run(run_)};
  const auto with_maps = make_html_report(runs, options);
  EXPECT_THAT(with_maps, HasSubstr("what exceeds the threshold painted over"));
  const auto without = make_html_report(runs);
  EXPECT_THAT(without, HasSubstr("<rect class=\"box\" x=\"2\" y=\"3\" width=\"4\" height=\"5\"/>"));
  EXPECT_THAT(without, HasSubstr("viewBox=\"0 0 30 20\""));
}

TEST_F(Report, AnImageThatIsGoneIsARemarkAndNoFailure) {
  const auto line = predicted(folder_.path() / "gone.png", "normal", "normal", 1);
  fs::remove(folder_.path() / "gone.png");
  write_file_atomic(run_ / "seed-0" / "predictions.jsonl", line);
  const std::vector<RunRecord> runs = {read_run(run_)};
  EXPECT_THAT(make_html_report(runs), HasSubstr("gone.png"));
}

TEST_F(Report, RefusesWhatIsNoRun) {
  const auto at = folder_.path() / "bad";
  EXPECT_EQ(error_of([&] { read_run(at); }).code(), ErrorCode::kNotFound);
  fs::create_directories(at);
  EXPECT_THAT(error_of([&] { read_run(at); }).what(), HasSubstr("no seed-K/results.json"));
  EXPECT_EQ(error_of([&] { make_html_report({}); }).code(), ErrorCode::kInvalidArgument);

  const auto code_of = [&](const char* member, Json value) {
    auto json = results(0, 0);
    json[member] = std::move(value);
    write_results(at, 0, json);
    const auto error = error_of([&] { read_run(at); });
    EXPECT_THAT(error.what(), HasSubstr("results.json")) << member;
    return error.code();
  };
  EXPECT_EQ(code_of("format", 2), ErrorCode::kUnsupported);
  EXPECT_EQ(code_of("method", 3), ErrorCode::kCorruptData);
  EXPECT_EQ(code_of("order", Json::array()), ErrorCode::kCorruptData);
  EXPECT_EQ(code_of("steps", {{"nut"}, {"a<b"}, {"wood"}}), ErrorCode::kCorruptData);
  EXPECT_EQ(code_of("matrix", {{"image_AUROC", {{1, 2, 3}}}}), ErrorCode::kCorruptData);
  EXPECT_EQ(code_of("matrix", {{"image_AUROC", {{1}, {2}, {3}}}}), ErrorCode::kCorruptData);
  EXPECT_EQ(code_of("seconds", 4), ErrorCode::kCorruptData);
  EXPECT_EQ(code_of("routing", {{"confusion", {{1}}}}), ErrorCode::kCorruptData);
  write_file_atomic(at / "seed-0" / "results.json", "{\"format\": 1,");
  EXPECT_EQ(error_of([&] { read_run(at); }).code(), ErrorCode::kCorruptData);
}

TEST_F(Report, RefusesSeedsOfTwoRunsInOneFolder) {
  auto json = results(1, 0);
  json["method"] = "patchcore";
  write_results(run_, 1, json);
  EXPECT_THAT(error_of([&] { read_run(run_); }).what(), HasSubstr("holds one run"));
}

TEST(Table, SpecialCharactersSurviveEveryFormat) {
  const Table table{
      .title = "", .columns = {"na|me", "x"}, .rows = {{"a,\"b\"", "1"}, {"ü", "22"}}};
  EXPECT_EQ(csv(table), "na|me,x\n\"a,\"\"b\"\"\",1\nü,22\n");
  EXPECT_THAT(markdown(table), HasSubstr("| na\\|me | x |\n|---|---:|\n"));
  EXPECT_EQ(plain_text(table), "na|me   x\na,\"b\"   1\nü      22\n\n");
}

TEST(HtmlText, EscapesAndEncodes) {
  EXPECT_EQ(escape_html("a<b>&\"'\x01"), "a&lt;b&gt;&amp;&quot;&#39;");
  const auto encoded = [](std::string_view text) {  // RFC 4648, section 10
    return base64(std::as_bytes(std::span(text.data(), text.size())));
  };
  EXPECT_EQ(encoded(""), "");
  EXPECT_EQ(encoded("f"), "Zg==");
  EXPECT_EQ(encoded("fo"), "Zm8=");
  EXPECT_EQ(encoded("foo"), "Zm9v");
  EXPECT_EQ(encoded("foobar"), "Zm9vYmFy");
}

TEST(SpreadLabels, KeepsOrderAndGap) {
  const std::vector<double> wanted = {50, 10, 51, 52, 98, 99};
  const auto places = spread_labels(wanted, 10, 0, 100);
  auto order = std::vector<std::size_t>{1, 0, 2, 3, 4, 5};
  for (std::size_t k = 1; k < order.size(); ++k) {
    EXPECT_GE(places[order[k]] - places[order[k - 1]], 10 - 1e-9);
  }
  EXPECT_LE(*std::ranges::max_element(places), 100);
  EXPECT_EQ(places[1], 10);
}

/// Relative luminance of "#rrggbb" (WCAG 2.1).
double luminance(const std::string& colour) {
  double sum = 0;
  const double weights[] = {0.2126, 0.7152, 0.0722};
  for (std::size_t channel = 0; channel < 3; ++channel) {
    const auto value = std::stoi(colour.substr(1 + 2 * channel, 2), nullptr, 16) / 255.0;
    const auto linear = value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
    sum += weights[channel] * linear;
  }
  return sum;
}

TEST(ReportStyle, EveryTextStandsOutFromItsGroundInLightAndDark) {
  const std::string style(report_style());
  const auto dark_start = style.find("prefers-color-scheme: dark");
  for (const bool is_dark : {false, true}) {
    const auto colour = [&](const std::string& name) {
      const auto place = style.find("--" + name + ": #", is_dark ? dark_start : 0);
      return style.substr(place + name.size() + 4, 7);
    };
    const auto contrast = [&](const std::string& ink, const std::string& ground) {
      const auto a = luminance(colour(ink)), b = luminance(colour(ground));
      return (std::max(a, b) + 0.05) / (std::min(a, b) + 0.05);
    };
    for (int shade = 0; shade <= 10; ++shade) {
      EXPECT_GE(contrast(shade < 8 ? "hink" : "hpale", cat("h", shade)), 4.5) << shade << is_dark;
    }
    for (const char* ink : {"ink", "soft", "accent", "alarm", "doubt", "c0", "c1", "c2", "c3", "c4",
                            "c5", "c6", "c7"}) {
      EXPECT_GE(contrast(ink, "paper"), 4.5) << ink << is_dark;
    }
  }
}

TEST(AxisRange, IsHalfToOneForAreasUnlessSomethingLiesBelow) {
  const auto range = [](const char* metric, MetricMatrix values) {
    const auto [low, high, tick] = axis_range(metric, values);
    return std::vector{low, high, tick};
  };
  EXPECT_THAT(range("image_AUROC", {{0.9, 0.95}}), ElementsAre(0.8, 1, 0.05));
  EXPECT_THAT(range("image_AUROC", {{0.6, std::nullopt}}), ElementsAre(0.5, 1, 0.1));
  EXPECT_THAT(range("image_AUROC", {{0.43}}), ElementsAre(0.4, 1, 0.1));
  EXPECT_THAT(range("pixel_AUPR", {{0.31, 0.44}}), ElementsAre(0.3, 0.5, 0.05));
  EXPECT_THAT(range("pixel_AUPR", {{0.0, 0.9}}), ElementsAre(0, 1, 0.2));
}

}  // namespace
}  // namespace cadenza
