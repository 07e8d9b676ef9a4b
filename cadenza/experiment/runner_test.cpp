#include "cadenza/experiment/runner.h"

#include <algorithm>
#include <fstream>
#include <set>

#include "tests/support/error_of.h"
#include "tests/support/memory_task_data.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/toy_methods.h"
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cadenza/base/file.h"
#include "cadenza/base/rng.h"
#include "cadenza/experiment/test_model.h"
#include "cadenza/experiment/testing/toy_run.h"
#include "cadenza/inspector/hold_back.h"
#include "cadenza/inspector/model_directory.h"
#include "cadenza/memory/conformal.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

/// Results without what a clock or the machine says.
std::string timeless(Json results) {
  for (const auto* key : {"seconds", "latency_ms", "environment"}) results.erase(key);
  results["bytes"].erase("peak_rss");
  return results.dump(1);
}

TEST(RunExperiment, FillsTheMatrixStepByStep) {
  ToyRun toy;
  toy.run();
  const auto results = toy.results();
  EXPECT_THAT(toy.trained, ElementsAre("blue: 24", "green: 24", "red: 24"));
  EXPECT_EQ(results["order"], Json({"blue", "green", "red"}));
  const auto& matrix = results["matrix"]["image_AUROC"];
  ASSERT_EQ(matrix.size(), 3);
  for (std::size_t step = 0; step < 3; ++step) {
    for (std::size_t task = 0; task < 3; ++task) {
      EXPECT_EQ(matrix[step][task].is_null(), task > step) << step << " " << task;
    }
  }
  EXPECT_GT(results["final"]["image_AUROC"]["mean"], 0.9);
  EXPECT_TRUE(results["final"]["pixel_AUPR"]["mean"].is_null());
  EXPECT_EQ(results["continual"]["image_AUROC"]["forgetting"], 0);  // isolated tasks
  EXPECT_EQ(results["routing"]["accuracy"], 1);
  EXPECT_EQ(results["routing"]["confusion"], Json({{18, 0, 0}, {0, 18, 0}, {0, 0, 18}}));
  EXPECT_EQ(results["seconds"]["train"].size(), 3);
  EXPECT_EQ(results["bytes"]["state_per_task"].size(), 3);
  EXPECT_GT(results["bytes"]["peak_rss"], 0);
  EXPECT_EQ(results["latency_ms"], nullptr);  // 54 images less 8
  EXPECT_THAT(results["notes"].dump(), HasSubstr("46 images after 8 warm-ups"));
  EXPECT_THAT(results["notes"].dump(), HasSubstr("blue: pixel metrics undefined: no masks"));
}

TEST(RunExperiment, CalibrationCountsWhatThePredictionsSay) {
  ToyRun toy;
  toy.run();
  const auto results = toy.results();
  std::ifstream file(toy.seed_folder() / "predictions.jsonl");
  std::map<std::string, std::array<int, 4>> counts;  // normals, flagged, defects, flagged
  int n_lines = 0;
  for (std::string line; std::getline(file, line); ++n_lines) {
    const auto prediction = parse_json(line, "line");
    const bool is_defect = prediction["true_label"] == "defect";
    auto& row = counts[prediction["true_task"]];
    ++row[is_defect ? 2 : 0];
    row[is_defect ? 3 : 1] += prediction["label"] != "normal";
  }
  EXPECT_EQ(n_lines, 54);
  std::array<int, 4> pooled{};
  for (const auto& [task, row] : counts) {
    EXPECT_EQ(results["calibration"]["realised_fpr"][task], double(row[1]) / row[0]);
    EXPECT_EQ(results["calibration"]["recall"][task], double(row[3]) / row[2]);
    for (std::size_t index = 0; index < 4; ++index) pooled[index] += row[index];
  }
  EXPECT_EQ(results["calibration"]["realised_fpr"]["pooled"], double(pooled[1]) / pooled[0]);
  EXPECT_EQ(results["calibration"]["recall"]["pooled"], double(pooled[3]) / pooled[2]);
  EXPECT_GT(pooled[3], 0);
}

TEST(RunExperiment, ResumesAfterAStopAnywhereWithTheSameNumbers) {
  for (const std::string strategy : {"", "replay", "ewc"}) {
    ToyRun whole;
    whole.settings.protocol = "1xN";
    if (!strategy.empty()) {
      whole.settings.method = "toy_linear";
      whole.settings.strategy = strategy;
      if (strategy == "ewc") whole.settings.strategy_options = {{"lambda", "10"}};
    }
    int n_events = 0;
    whole.on_event = [&] { ++n_events; };
    whole.run();
    const auto expected = timeless(whole.results());
    const auto states = whole.states();
    EXPECT_GT(n_events, 100);

    // Stopped before, in and after each step's training and evaluation.
    for (const int stop_at : {1, 2, 10, 20, 21, 40, 57, 58, 60, 110}) {
      int n_done = 0;
      whole.on_event = [&] {
        CADENZA_REQUIRE(++n_done != stop_at, ErrorCode::kCancelled, "as by Ctrl-C");
      };
      const auto name = cat("stopped at ", stop_at);
      EXPECT_EQ(error_of([&] { whole.run(name); }).code(), ErrorCode::kCancelled);
      EXPECT_FALSE(fs::exists(whole.seed_folder(name) / "results.json"));
      whole.run(name);
      EXPECT_EQ(timeless(whole.results(name)), expected) << strategy << " " << name;
      EXPECT_EQ(whole.states(name), states) << strategy << " " << name;
      EXPECT_EQ(read_file(whole.seed_folder(name) / "predictions.jsonl"),
                read_file(whole.seed_folder() / "predictions.jsonl"));
    }
  }
}

TEST(RunExperiment, IgnoresWhatAKilledStepLeftBeforeItsCommit) {
  ToyRun toy;
  toy.settings.method = "toy_linear";
  toy.settings.strategy = "replay";
  toy.run("whole");
  // Stopped at the training of the second step, with files of that step as a kill between them and
  // the commit would leave them: half written, of another attempt.
  int n_events = 0;
  toy.on_event = [&] {
    CADENZA_REQUIRE(++n_events != 1 + 18 + 1, ErrorCode::kCancelled, "as by Ctrl-C");
  };
  EXPECT_EQ(error_of([&] { toy.run("killed"); }).code(), ErrorCode::kCancelled);
  const auto steps = toy.seed_folder("killed") / "steps";
  EXPECT_TRUE(fs::exists(steps / "evaluation-000.json"));
  for (const auto* name : {"train-001.json", "strategy-001.state", "train-001.json.tmp"}) {
    EXPECT_FALSE(fs::exists(steps / name)) << name;
    write_file_atomic(steps / name, "{half");
  }
  toy.run("killed");
  EXPECT_EQ(timeless(toy.results("killed")), timeless(toy.results("whole")));
  EXPECT_EQ(toy.states("killed"), toy.states("whole"));
}

TEST(RunExperiment, SurvivesKillsAtRandomInstants) {
  ToyRun toy;
  toy.settings.method = "toy_linear";
  toy.settings.strategy = "replay";
  toy.run("whole");
  Rng rng(static_cast<std::uint64_t>(::getpid()), "instants");
  int n_killed = 0;
  for (int attempt = 0; attempt < 12; ++attempt) {
    const auto child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      // As slow as images are, so that kills fall everywhere.
      toy.on_event = [] { ::usleep(200); };
      toy.run("killed");
      ::_exit(0);
    }
    ::usleep(static_cast<useconds_t>(1000 + rng.below(15000)));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    n_killed += WIFSIGNALED(status);
  }
  EXPECT_GT(n_killed, 0) << "seed " << ::getpid();
  toy.run("killed");
  EXPECT_EQ(timeless(toy.results("killed")), timeless(toy.results("whole")))
      << "seed " << ::getpid();
  // The killed steps' pieces that no generation names are gone after the next commit.
  EXPECT_EQ(toy.states("killed"), toy.states("whole")) << "seed " << ::getpid();
}

TEST(RunExperiment, MemoryGapComparesWithTheLargerMemory) {
  ToyRun toy;
  toy.run("without");
  EXPECT_FALSE(toy.results("without")["continual"]["image_AUROC"].contains("memory_gap"));
  // The "larger memory" here is a method that learned the tasks from one image each.
  toy.parts.with_larger_memory = [&](const Method&) {
    auto other = toy.parts.methods.make("toy_colour", {}, {});
    for (TaskId id = 0; id < 3; ++id) {
      const auto& name = toy.dataset.tasks[static_cast<std::size_t>(id)];
      const auto pixels = at::cat({pixels_of(read_file(toy.dataset.root / (name + "_0"))),
                                   pixels_of(read_file(toy.dataset.root / (name + "_40")))});
      other->train_task(MemoryTaskData({.id = id, .name = name}, pixels), {});
    }
    return other;
  };
  toy.run("with");
  const auto gap = toy.results("with")["continual"]["image_AUROC"]["memory_gap"].get<double>();
  EXPECT_FALSE(toy.results("with")["continual"]["pixel_AUPR"].contains("memory_gap"));  // no masks
  EXPECT_LT(gap, 0);  // it is the worse one: a defect was among its images
  EXPECT_GE(gap, -1);
}

TEST(RunExperiment, FinishedRunIsOnlySummarisedAgain) {
  ToyRun toy;
  const auto summary = toy.run();
  toy.on_event = [] { throw Error(ErrorCode::kInternal, "nothing is left to do"); };
  EXPECT_EQ(toy.run(), summary);
}

TEST(RunExperiment, EvaluateOnlyScoresACommittedRunAgain) {
  ToyRun toy;
  EXPECT_EQ(error_of([&] { toy.run("run", true); }).code(), ErrorCode::kNotFound);
  toy.run();
  const auto expected = timeless(toy.results());
  toy.trained.clear();
  toy.n_scored = 0;
  fs::remove(toy.seed_folder() / "results.json");
  toy.run("run", true);
  EXPECT_EQ(toy.n_scored, 18 * (1 + 2 + 3));
  EXPECT_TRUE(toy.trained.empty());
  EXPECT_EQ(timeless(toy.results()), expected);
}

TEST(RunExperiment, TestLabelsReachNoStateByte) {
  for (const std::string method : {"toy_colour", "toy_linear"}) {
    ToyRun toy;
    toy.settings.method = method;
    toy.run("true labels");
    std::vector<Sample*> tests;
    for (auto& sample : toy.dataset.samples) {
      if (sample.split == Split::kTest) tests.push_back(&sample);
    }
    const auto order = Rng(1, "labels").permutation(std::ssize(tests));
    std::vector<bool> labels;
    for (const auto* sample : tests) labels.push_back(sample->is_defect);
    for (std::size_t index = 0; index < tests.size(); ++index) {
      tests[index]->is_defect = labels[static_cast<std::size_t>(order[index])];
    }
    toy.run("shuffled labels");
    EXPECT_EQ(toy.states("true labels"), toy.states("shuffled labels"));
    EXPECT_NE(timeless(toy.results("true labels")), timeless(toy.results("shuffled labels")));
  }
}

TEST(RunExperiment, PaperModeEndsWithTheEpochThatIsBestOnTestImagesAndSaysSo) {
  ToyRun toy;
  toy.settings.method = "toy_linear";
  toy.settings.order = {"green"};
  // The second opinion: a run of each length, and the first of those that are best.
  double best = -1;
  std::set<std::string> best_states;
  for (int n_epochs = 1; n_epochs <= 8; ++n_epochs) {
    toy.settings.options = {{"epochs", cat(n_epochs)}};
    const auto name = cat("honest ", n_epochs);
    toy.run(name);
    const auto results = toy.results(name);
    EXPECT_FALSE(results["test_selected"].get<bool>());
    const double value = results["final"]["image_AUROC"]["mean"];
    if (value > best) best_states = toy.states(name);
    best = std::max(best, value);
  }
  toy.settings.mode = RunMode::kPaper;
  toy.run("paper");
  const auto paper = toy.results("paper");
  EXPECT_EQ(paper["final"]["image_AUROC"]["mean"], best);
  EXPECT_EQ(toy.states("paper"), best_states);
  EXPECT_TRUE(paper["test_selected"].get<bool>());
  EXPECT_EQ(paper["mode"], "paper");
  EXPECT_THAT(paper["notes"].dump(), HasSubstr("test-selected"));
}

/// AUROC by counting pairs.
double auroc_of(const std::vector<double>& scores, const std::vector<bool>& is_defect) {
  double won = 0, n_pairs = 0;
  for (std::size_t defect = 0; defect < scores.size(); ++defect) {
    for (std::size_t normal = 0; normal < scores.size(); ++normal) {
      if (!is_defect[defect] || is_defect[normal]) continue;
      const auto gap = scores[defect] - scores[normal];
      won += gap > 0 ? 1 : gap == 0 ? 0.5 : 0;
      ++n_pairs;
    }
  }
  return won / n_pairs;
}

TEST(RunExperiment, PaperModeJoinsTheEpochsOfMethodsWhoseAuthorsDo) {
  ToyRun toy;
  toy.settings.method = "toy_linear";
  toy.settings.order = {"green"};
  // The second opinion: the scores of a run of each length, scaled and averaged so far.
  std::vector<double> sum;
  std::set<std::string> best_states;
  double best = -1;
  int best_epoch = 0;
  for (int n_epochs = 1; n_epochs <= 8 && best < 1; ++n_epochs) {
    const auto name = cat("honest ", n_epochs);
    toy.settings.options = {{"epochs", cat(n_epochs)}};
    toy.run(name);
    std::vector<double> scores;
    std::vector<bool> is_defect;
    std::ifstream file(toy.seed_folder(name) / "predictions.jsonl");
    for (std::string line; std::getline(file, line);) {
      const auto prediction = parse_json(line, "line");
      scores.push_back(prediction["score"]);
      is_defect.push_back(prediction["true_label"] == "defect");
    }
    const auto [low, high] = std::ranges::minmax(scores);
    sum.resize(scores.size());
    for (std::size_t image = 0; image < scores.size(); ++image) {
      sum[image] += (scores[image] - low) / (high - low);
    }
    const auto value = auroc_of(sum, is_defect);
    if (value <= best) continue;
    best = value;
    best_epoch = n_epochs;
    best_states = toy.states(name);
  }
  toy.settings.mode = RunMode::kPaper;
  toy.settings.options = {{"epochs", "8"}, {"joins_epochs", "true"}};
  toy.run("paper");
  const auto paper = toy.results("paper");
  EXPECT_NEAR(paper["epoch_ensemble"]["image_AUROC"]["green"], best, 1e-12);
  EXPECT_NEAR(paper["epoch_ensemble"]["image_AUROC"]["mean"], best, 1e-12);
  EXPECT_EQ(paper["epoch_ensemble"]["epoch"]["green"], best_epoch);
  EXPECT_TRUE(paper["epoch_ensemble"]["memory_gap"]["image_AUROC"].is_null());
  EXPECT_EQ(toy.states("paper"), best_states);
  EXPECT_THAT(paper["notes"].dump(), HasSubstr("epoch_ensemble: test-selected"));

  toy.settings.mode = RunMode::kHonest;
  toy.run("honest");
  EXPECT_FALSE(toy.results("honest").contains("epoch_ensemble"));
}

TEST(RunExperiment, StrategySettingsDecideWhatAStepSees) {
  ToyRun toy;
  toy.settings.method = "toy_linear";
  toy.settings.strategy = "joint";
  toy.run("joint");
  EXPECT_THAT(toy.trained, ElementsAre("blue: 24", "blue,green: 48", "blue,green,red: 72"));
  const auto joint = toy.states("joint");

  // A joint run's last model is that of one step with everything.
  toy.settings.strategy = "";
  toy.settings.protocol = "joint";
  toy.run("one step");
  for (const auto& state : toy.states("one step")) EXPECT_TRUE(joint.contains(state)) << state;

  toy.trained.clear();
  toy.settings.order = {"red", "blue", "green"};
  toy.run("another order");
  EXPECT_THAT(toy.trained, ElementsAre("red,blue,green: 72"));
  toy.settings.order = {};

  toy.trained.clear();
  toy.settings.protocol = "1xN";
  toy.settings.strategy = "upper";
  toy.run("upper");
  EXPECT_THAT(toy.trained, ElementsAre("blue: 24", "blue,green: 48", "blue,green,red: 72"));
  EXPECT_NE(toy.states("upper"), joint);

  toy.settings.strategy = "frozen";
  toy.run("frozen");
  const auto frozen = toy.results("frozen")["matrix"]["image_AUROC"];
  EXPECT_EQ(frozen[0][0], frozen[2][0]);
  EXPECT_EQ(toy.results("frozen")["continual"]["image_AUROC"]["forgetting"], 0);
}

TEST(RunExperiment, StrategyNeedsSharedParameters) {
  ToyRun toy;
  toy.settings.strategy = "ewc";
  const auto error = error_of([&] { toy.run(); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.what(), HasSubstr("'ewc' acts on parameters that tasks share, and method "
                                      "'toy_colour' trains none"));
}

TEST(RunExperiment, ZeroShotFillsTheWholeMatrix) {
  ToyRun toy;
  toy.settings.method = "toy_linear";
  toy.settings.zero_shot = true;
  toy.run();
  const auto results = toy.results();
  for (const auto& row : results["matrix"]["image_AUROC"]) {
    for (const auto& value : row) EXPECT_TRUE(value.is_number());
  }
  EXPECT_TRUE(results["continual"]["image_AUROC"]["FWT"].is_number());
}

TEST(RunExperiment, KnownTaskIsMarkedAsAnOracle) {
  ToyRun toy;
  toy.settings.known_task = true;
  toy.run();
  const auto results = toy.results();
  EXPECT_EQ(results["known_task"], true);
  EXPECT_TRUE(results["routing"].is_null());
  EXPECT_THAT(results["notes"].dump(), HasSubstr("oracle: the task was told at test"));
}

TEST(RunExperiment, HoldsNormalsBackOnlyWhenAsked) {
  ToyRun toy;
  toy.settings.options = {{"calibrates", "false"}};
  toy.run("without");
  EXPECT_THAT(toy.trained, ElementsAre("blue: 24", "green: 24", "red: 24"));
  EXPECT_TRUE(toy.results("without")["calibration"]["realised_fpr"]["pooled"].is_null());
  EXPECT_THAT(toy.results("without")["notes"].dump(), HasSubstr("blue: no threshold"));

  toy.trained.clear();
  for (auto& sample : toy.dataset.samples) {  // a 25th normal for each
    if (sample.file.filename().string().ends_with("_24")) sample.split = Split::kTrain;
  }
  toy.settings.hold_back = true;
  toy.run("held back");
  EXPECT_THAT(toy.trained, ElementsAre("blue: 20", "green: 20", "red: 20"));
  const auto record = read_json(toy.seed_folder("held back") / "steps" / "train-000.json");
  const auto& scores = record["calibrations"][0]["normal_scores"];
  EXPECT_EQ(scores.size(), 5);  // images 4, 9, 14, 19, 24
  EXPECT_TRUE(toy.results("held back")["calibration"]["realised_fpr"]["blue"].is_number());
  // They lie in the task's piece, too, for whoever opens the model.
  auto state = ModelDirectory(toy.seed_folder("held back") / "model").read().second;
  EXPECT_EQ(Json(take_held_back(state.tasks.at(0))->scores), scores);
}

TEST(RunExperiment, SummaryIsMeanAndDeviationOverSeeds) {
  ToyRun toy;
  toy.settings.method = "toy_linear";
  toy.settings.seeds = {3, 5};
  toy.settings.shots = 10;
  const auto summary = toy.run();
  const auto value = [&](int seed) {
    return toy.results("run", seed)["final"]["image_AUROC"]["mean"].get<double>();
  };
  const auto& found = summary["final"]["image_AUROC"]["mean"];
  EXPECT_NEAR(found["mean"].get<double>(), (value(3) + value(5)) / 2, 1e-12);
  EXPECT_NEAR(found["sd"].get<double>(), std::abs(value(3) - value(5)) / std::sqrt(2), 1e-12);
  EXPECT_EQ(found["n"], 2);
  EXPECT_EQ(summary["seeds"], Json({3, 5}));

  const auto csv = read_file(toy.folder.path() / "run" / "results.csv");
  const std::string text(reinterpret_cast<const char*>(csv.data()), csv.size());
  EXPECT_THAT(text, HasSubstr("seed,task,image_AUROC,image_AUPR"));
  EXPECT_THAT(text, HasSubstr(cat("5,mean,", Json(value(5)).dump(), ",,,,,,\n")));
  EXPECT_EQ(std::ranges::count(text, '\n'), 1 + 2 * 4);
}

TEST(TestModel, SaysWhatTheLastStepOfTheRunSaid) {
  ToyRun toy;
  toy.run();
  const auto run = toy.results();
  ExperimentSettings settings;
  settings.method = "toy_colour";
  const auto method = toy.parts.methods.make("toy_colour", {}, {});
  method->load(ModelDirectory(toy.seed_folder() / "model").read().second);
  std::vector<TaskCalibration> calibrations;
  const auto record = read_json(toy.seed_folder() / "steps" / "train-002.json");
  for (const auto& known : record["calibrations"]) {
    calibrations.push_back({.id = known["id"],
                            .name = known["name"],
                            .threshold = known["threshold"].get<double>(),
                            .reject_above = known["reject_above"].get<double>()});
  }
  const auto test = test_model(*method, calibrations, toy.dataset, settings, toy.parts);
  for (const auto* key : {"final", "pooled", "routing", "calibration"}) {
    EXPECT_EQ(test.results[key], run[key]) << key;
  }
  EXPECT_FALSE(test.results.contains("matrix"));
  EXPECT_EQ(std::ranges::count(test.predictions, '\n'), 54);

  toy.dataset.tasks = {"yellow"};
  const auto error =
      error_of([&] { test_model(*method, calibrations, toy.dataset, settings, toy.parts); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("the model knows blue, green, red; the data have yellow"));
}

TEST(RunExperiment, RefusesAFolderWithOtherSettings) {
  ToyRun toy;
  toy.run();
  toy.settings.seeds = {0, 1};  // more seeds are welcome
  toy.run();
  toy.settings.target_fpr = 0.1;
  const auto error = error_of([&] { toy.run(); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("holds a run with target_fpr = 0.05, not 0.1"));
}

TEST(RunExperiment, RefusesTwoRunsInOneFolder) {
  ToyRun toy;
  const auto lock = FileLock::try_acquire(ToyRun::make_folder(toy.folder.path() / "run") / "lock");
  EXPECT_EQ(error_of([&] { toy.run(); }).code(), ErrorCode::kIo);
}

TEST(RunExperiment, RefusesSettingsOutOfRange) {
  ToyRun toy;
  const auto code = [&] { return error_of([&] { toy.run(); }).code(); };
  toy.settings.target_fpr = 0;
  EXPECT_EQ(code(), ErrorCode::kInvalidArgument);
  toy.settings.target_fpr = 0.05;
  toy.settings.seeds = {};
  EXPECT_EQ(code(), ErrorCode::kInvalidArgument);
  toy.settings.seeds = {0};
  toy.settings.shots = -1;
  EXPECT_EQ(code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cadenza
