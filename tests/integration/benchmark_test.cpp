// benchmark and test as a user runs them, with real methods on networks that are small enough.
#include <csignal>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <thread>

#include "tests/support/photos.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_folder.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cadenza/base/json.h"
#include "cadenza/cli/exit_status.h"
#include "cadenza/experiment/results.h"
#include "cadenza/image/decode.h"
#include "cadenza/inspector/inspector.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

using Words = std::vector<std::string>;

const Words kRoutedMemory = {"--method",
                             "routed_memory",
                             "--set",
                             "network=efficientnet_lite_test",
                             "weights=random:1",
                             "size=32",
                             "precision=f32",
                             "layers=stage.2,stage.3,stage.4",
                             "map_layers=stage.2,stage.3",
                             "memory_size=32"};
const Words kPanda = {
    "--method",         "panda",    "--set",  "network=vit_test", "weights=random:5",
    "trainable=last_1", "epochs=1", "batch=8"};

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The bright quarter of photo_of(), as a mask.
void write_mask(const fs::path& file, std::int64_t height_px, std::int64_t width_px) {
  Image mask{height_px, width_px, 1, {}};
  for (std::int64_t y = 0; y < height_px; ++y) {
    for (std::int64_t x = 0; x < width_px; ++x) {
      mask.pixels.push_back(y >= height_px / 2 && x >= width_px / 2 ? 255 : 0);
    }
  }
  fs::create_directories(file.parent_path());
  write_file_atomic(file, encode_png(mask));
}

constexpr int kTrain = 20, kTest = 10;

/// MVTec's tree of one product.
void write_product(const fs::path& root, const Product& product, bool has_masks) {
  const PhotoOptions good{.height_px = 36, .width_px = 44};
  PhotoOptions broken = good;
  broken.has_defect = true;
  const auto folder = root / product.name;
  write_photos(folder / "train" / "good", product, kTrain, 0, good);
  write_photos(folder / "test" / "good", product, kTest, 1000, good);
  for (const auto& file : write_photos(folder / "test" / "bright", product, kTest, 2000, broken)) {
    if (!has_masks) continue;
    write_mask(folder / "ground_truth" / "bright" / (file.stem().string() + "_mask.png"), 36, 44);
  }
}

class Benchmark : public ::testing::Test {
 protected:
  Benchmark() {
    write_product(path("data"), kBottle, true);
    write_product(path("data"), kCable, true);
    write_product(path("data"), kNut, false);
  }

  fs::path path(const std::string& name) const { return folder_.path() / name; }

  ProgramResult run(Words words) const {
    words.insert(words.begin(), CADENZA_PROGRAM);
    return run_program(words, folder_.path());
  }
  static Words benchmark_words(const std::string& out, const Words& method, const Words& more) {
    Words words = {"benchmark", "--data", "data", "--out", out};
    words.insert(words.end(), more.begin(), more.end());
    words.insert(words.end(), method.begin(), method.end());
    return words;
  }
  ProgramResult benchmark(const std::string& out, const Words& more = {},
                          const Words& method = kRoutedMemory) const {
    return run(benchmark_words(out, method, more));
  }

  /// Starts the same and kills it after so many milliseconds; true if it was still running.
  bool benchmark_killed(const std::string& out, std::chrono::nanoseconds after) const {
    Words words = benchmark_words(out, kRoutedMemory, {"-q"});
    words.insert(words.begin(), CADENZA_PROGRAM);
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const auto where = folder_.path().string();
    const pid_t child = ::fork();
    if (child == 0) {
      if (::chdir(where.c_str()) == 0) ::execv(arguments[0], arguments.data());
      ::_exit(127);
    }
    std::this_thread::sleep_for(after);
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status);
  }

  Json results(const std::string& out, int seed = 0) const {
    return read_json(path(out) / cat("seed-", seed) / "results.json");
  }
  std::vector<Json> predictions(const fs::path& file) const {
    std::vector<Json> lines;
    std::istringstream in(text_of(file));
    for (std::string line; std::getline(in, line);) lines.push_back(parse_json(line, "line"));
    return lines;
  }
  /// Verdicts without what a clock says.
  std::string verdicts(const std::string& file) const {
    std::string all;
    for (auto line : predictions(path(file))) {
      line.erase("milliseconds");
      all += line.dump() + "\n";
    }
    return all;
  }
  /// Content addresses of all that was learned.
  std::set<std::string> states(const std::string& out) const {
    std::set<std::string> all;
    for (const auto& entry : fs::directory_iterator(path(out) / "seed-0/model/state")) {
      all.insert(entry.path().filename().string());
    }
    return all;
  }

  TemporaryFolder folder_;
};

/// Results without what a clock or the machine says.
std::string timeless(Json results) {
  for (const auto* key : {"seconds", "latency_ms", "environment"}) results.erase(key);
  results["bytes"].erase("peak_rss");
  return results.dump(1);
}

void expect_percentiles(const Json& stage, const std::string& name) {
  ASSERT_TRUE(stage.is_object()) << name;
  EXPECT_GE(stage["p50"], 0) << name;
  EXPECT_GE(stage["p95"], stage["p50"].get<double>()) << name;
  EXPECT_GE(stage["p99"], stage["p95"].get<double>()) << name;
}

TEST_F(Benchmark, FillsEveryFieldOfTheResults) {
  const auto run = benchmark("run", {"--save", "overlay,map"});
  ASSERT_EQ(run.status, 0) << run.err;
  const auto found = results("run");
  EXPECT_EQ(found["format"], 1);
  EXPECT_EQ(found["method"], "routed_memory");
  EXPECT_EQ(found["options"]["memory_size"], "32");
  EXPECT_TRUE(found["strategy"].is_null());
  EXPECT_EQ(found["network"]["name"], "efficientnet_lite_test");
  EXPECT_THAT(found["network"]["digest"].get<std::string>(),
              testing::MatchesRegex("sha256:[0-9a-f]+"));
  EXPECT_EQ(found["network"]["engine"], "openvino");
  EXPECT_EQ(found["network"]["precision"], "f32");
  EXPECT_EQ(found["protocol"], "1xN");
  EXPECT_EQ(found["mode"], "honest");
  EXPECT_EQ(found["seed"], 0);
  const Json order = {"bottle", "cable", "nut"};
  EXPECT_EQ(found["order"], order);
  EXPECT_EQ(found["steps"], (Json{{"bottle"}, {"cable"}, {"nut"}}));

  for (const auto metric : kMetricNames) {
    const std::string name(metric);
    const auto& matrix = found["matrix"][name];
    ASSERT_EQ(matrix.size(), 3) << name;
    for (std::size_t step = 0; step < 3; ++step) {
      for (std::size_t task = 0; task < 3; ++task) {
        const bool has_masks = order[task] != "nut";
        const bool is_defined = task <= step && (has_masks || name.starts_with("image"));
        EXPECT_EQ(matrix[step][task].is_number(), is_defined) << name << step << task;
        if (step == 2) {
          EXPECT_EQ(found["final"][name][std::string(order[task])], matrix[2][task]);
        }
      }
    }
    EXPECT_TRUE(found["final"][name]["mean"].is_number()) << name;
    for (const auto* score : {"ACC", "forgetting", "BWT", "FWT"}) {
      EXPECT_TRUE(found["continual"][name].contains(score)) << name << score;
    }
    EXPECT_EQ(found["continual"][name]["ACC"], found["final"][name]["mean"]);
  }
  EXPECT_EQ(found["continual"]["image_AUROC"]["forgetting"], 0);
  EXPECT_TRUE(found["pooled"]["image_AUROC"].is_number());
  EXPECT_THAT(found["notes"].dump(), HasSubstr("nut: pixel metrics undefined: no masks"));

  const auto& routing = found["routing"];
  for (const auto* share : {"accuracy", "accuracy_normal", "accuracy_defect", "rejected"}) {
    EXPECT_TRUE(routing[share].is_number()) << share;
  }
  for (const auto& row : routing["confusion"]) {
    EXPECT_EQ(row[0].get<int>() + row[1].get<int>() + row[2].get<int>(), 2 * kTest);
  }
  const auto& calibration = found["calibration"];
  EXPECT_EQ(calibration["target_fpr"], 0.05);
  for (const auto* name : {"bottle", "cable", "nut", "pooled"}) {
    EXPECT_TRUE(calibration["realised_fpr"][name].is_number()) << name;
    EXPECT_EQ(calibration["interval95"][name].size(), 2) << name;
    EXPECT_TRUE(calibration["recall"][name].is_number()) << name;
    EXPECT_TRUE(calibration["recall_defect"][name].is_number()) << name;
  }
  EXPECT_EQ(found["seconds"]["train"].size(), 3);
  EXPECT_EQ(found["seconds"]["evaluate"].size(), 3);
  for (const auto* stage : {"decode", "preprocess", "network", "score", "render", "total"}) {
    expect_percentiles(found["latency_ms"][stage], stage);
  }
  ASSERT_EQ(found["bytes"]["state_per_task"].size(), 3);
  EXPECT_EQ(found["bytes"]["archive_per_task"], (Json{0, 0, 0}));
  std::int64_t sum = 0;
  for (const auto& bytes : found["bytes"]["state_per_task"]) sum += bytes.get<std::int64_t>();
  EXPECT_GE(found["bytes"]["state_total"], sum);
  EXPECT_GT(found["bytes"]["peak_rss"], 50'000'000);
  const auto& environment = found["environment"];
  EXPECT_THAT(environment["cadenza"].get<std::string>(), HasSubstr("0.1.0"));
  for (const auto* fact : {"cpu", "torch", "openvino"}) {
    EXPECT_FALSE(environment[fact].get<std::string>().empty()) << fact;
  }
  EXPECT_GE(environment["threads"], 1);
  EXPECT_THAT(environment["started"].get<std::string>(),
              testing::MatchesRegex("....-..-..T..:..:..Z"));

  // The rest of the run folder.
  for (const auto* file : {"config.resolved.json", "config.resolved.yaml", "summary.json",
                           "results.csv", "matrix.csv", "report.html", "seed-0/predictions.jsonl",
                           "seed-0/predictions.csv", "seed-0/model/manifest.json"}) {
    EXPECT_TRUE(fs::exists(path("run") / file)) << file;
  }
  const auto lines = predictions(path("run/seed-0/predictions.jsonl"));
  ASSERT_EQ(lines.size(), 6 * kTest);
  EXPECT_EQ(lines[0]["overlay"], "run/seed-0/overlay/data/bottle/test/bright/0000.png");
  EXPECT_EQ(read_image(path(lines[0]["overlay"])).width_px, 44);
  for (const auto& entry : fs::recursive_directory_iterator(path("run"))) {
    const bool is_piece = entry.path().extension() == ".safetensors";
    if (is_piece) {
      EXPECT_EQ(entry.path().parent_path(), path("run/seed-0/model/state"));
    }
  }
}

TEST_F(Benchmark, MetricsAreThoseOfThePredictionsThatItWrote) {
  ASSERT_EQ(benchmark("run").status, 0);
  std::map<std::string, std::array<std::vector<double>, 2>> scores;
  for (const auto& line : predictions(path("run/seed-0/predictions.jsonl"))) {
    scores[line["true_task"]][line["true_label"] == "defect"].push_back(line["score"]);
  }
  for (const auto& [task, of] : scores) {
    double won = 0;
    for (const auto defect : of[1]) {
      for (const auto normal : of[0]) won += defect > normal ? 1 : defect == normal ? 0.5 : 0;
    }
    EXPECT_NEAR(results("run")["final"]["image_AUROC"][task],
                won / double(of[0].size() * of[1].size()), 1e-12)
        << task;
  }
}

TEST_F(Benchmark, GoesOnAfterKillsWithTheSameNumbers) {
  const auto start = std::chrono::steady_clock::now();
  ASSERT_EQ(benchmark("whole").status, 0);
  const auto whole = std::chrono::steady_clock::now() - start;
  int n_killed = 0;
  for (const int percent : {30, 40, 50, 55, 60, 65, 70, 75, 80, 85, 90, 95}) {
    n_killed += benchmark_killed("killed", whole * percent / 100);
  }
  EXPECT_GT(n_killed, 2);
  const auto last = benchmark("killed");
  ASSERT_EQ(last.status, 0) << last.err;
  EXPECT_EQ(timeless(results("killed")), timeless(results("whole")));
  EXPECT_EQ(verdicts("killed/seed-0/predictions.jsonl"),
            verdicts("whole/seed-0/predictions.jsonl"));
  EXPECT_EQ(text_of(path("killed/matrix.csv")), text_of(path("whole/matrix.csv")));
  EXPECT_EQ(states("killed"), states("whole"));

  const auto again = benchmark("killed");
  EXPECT_EQ(again.status, 0);
  EXPECT_THAT(again.err, Not(HasSubstr("features")));  // nothing is left to do
}

TEST_F(Benchmark, LibraryCommandsAndRunnerGiveTheSameScores) {
  ASSERT_EQ(benchmark("run").status, 0);
  const auto lines = predictions(path("run/seed-0/predictions.jsonl"));

  // A model that was taught by hand, product by product.
  for (const auto* task : {"bottle", "cable", "nut"}) {
    Words words = {"train",   "--task", task, "--normal", cat("data/", task, "/train/good"),
                   "--model", "line"};
    words.insert(words.end(), kRoutedMemory.begin(), kRoutedMemory.end());
    const auto trained = run(words);
    ASSERT_EQ(trained.status, 0) << trained.err;
  }
  const auto library = Inspector::open(path("line"));
  const auto predicted = run({"predict", "data", "--model", "line", "--json"});
  std::map<std::string, Json> by_command;
  std::istringstream in(predicted.out);
  for (std::string text; std::getline(in, text);) {
    const auto line = parse_json(text, "line");
    by_command[line["file"]] = line;
  }
  for (auto line : lines) {
    const auto file = line["file"].get<std::string>();
    auto verdict = to_json(library.predict(path(file)));
    verdict.erase("milliseconds");
    for (const auto& [key, value] : verdict.items()) {
      EXPECT_EQ(value.dump(), line[key].dump()) << file << " " << key;
      EXPECT_EQ(value.dump(), by_command[file][key].dump()) << file << " " << key;
    }
  }

  const auto tested =
      run({"test", "--data", "data", "--model", "line", "--out", "tested", "--json"});
  ASSERT_EQ(tested.status, 0) << tested.err;
  const auto found = parse_json(tested.out, "test"), expected = results("run");
  for (const auto* key : {"final", "pooled", "routing", "calibration", "order", "method"}) {
    EXPECT_EQ(found[key], expected[key]) << key;
  }
  EXPECT_EQ(found, read_json(path("tested/results.json")));
  EXPECT_EQ(verdicts("tested/predictions.jsonl"), verdicts("run/seed-0/predictions.jsonl"));
  EXPECT_THAT(text_of(path("tested/predictions.csv")),
              HasSubstr("file,true_task,true_label,task,nearest_task,task_distance,label,score"));
}

TEST_F(Benchmark, TheOrderOfProductsChangesNoNumber) {
  ASSERT_EQ(benchmark("forward").status, 0);
  const auto other = benchmark("backward", {"--order", "nut,cable,bottle"});
  ASSERT_EQ(other.status, 0) << other.err;
  EXPECT_EQ(results("backward")["order"], (Json{"nut", "cable", "bottle"}));
  const auto forward = results("forward")["final"], backward = results("backward")["final"];
  for (const auto* task : {"bottle", "cable", "nut", "mean"}) {
    for (const auto metric : kMetricNames) {
      const std::string name(metric);
      const auto &left = forward[name][task], &right = backward[name][task];
      if (left.is_null()) {
        EXPECT_TRUE(right.is_null());
      } else {
        EXPECT_NEAR(left, right, 1e-12) << task << name;
      }
    }
  }
}

TEST_F(Benchmark, ShuffledTestLabelsLeaveEveryStateByte) {
  for (const auto& [name, method] :
       {std::pair("memory", kRoutedMemory), std::pair("panda", kPanda)}) {
    const auto plain = benchmark(cat(name, " plain"), {}, method);
    ASSERT_EQ(plain.status, 0) << plain.err;
    // Half of the good test photos change places with the broken ones.
    for (const auto* task : {"bottle", "cable", "nut"}) {
      for (int photo = 0; photo < kTest; photo += 2) {
        const auto test = path("data") / task / "test";
        const auto file = cat(10000 + photo).substr(1) + ".png";
        fs::rename(test / "good" / file, test / "kept.png");
        fs::rename(test / "bright" / file, test / "good" / file);
        fs::rename(test / "kept.png", test / "bright" / file);
      }
    }
    ASSERT_EQ(benchmark(cat(name, " shuffled"), {}, method).status, 0);
    EXPECT_EQ(states(cat(name, " plain")), states(cat(name, " shuffled")));
    EXPECT_NE(results(cat(name, " plain"))["final"].dump(),
              results(cat(name, " shuffled"))["final"].dump());
  }
}

TEST_F(Benchmark, SeedsShotsAndProtocolsComeFromTheCommandLine) {
  const auto run =
      benchmark("run", {"--seeds", "0,3", "--shots", "12", "--protocol", "2-1", "--known-task",
                        "--zero-shot", "--pixel-size", "16", "--json"});
  ASSERT_EQ(run.status, 0) << run.err;
  const auto told = parse_json(run.out, "benchmark");
  EXPECT_EQ(told["run"], "run");
  EXPECT_EQ(told["report"], "run/report.html");
  EXPECT_EQ(told["results"].size(), 2);
  EXPECT_EQ(told["summary"]["seeds"], (Json{0, 3}));
  const auto found = results("run", 3);
  EXPECT_EQ(found["steps"], (Json{{"bottle", "cable"}, {"nut"}}));
  EXPECT_EQ(found["known_task"], true);
  EXPECT_TRUE(found["routing"].is_null());
  EXPECT_THAT(found["notes"].dump(), HasSubstr("oracle"));
  EXPECT_TRUE(found["matrix"]["image_AUROC"][0][2].is_number());
  EXPECT_TRUE(found["continual"]["image_AUROC"]["FWT"].is_number());
  EXPECT_EQ(read_json(path("run/seed-3/steps/train-000.json"))["calibrations"][0]["images"], 12);
}

TEST_F(Benchmark, AResolvedConfigurationRepeatsTheRun) {
  ASSERT_EQ(benchmark("first", {"--tasks", "nut,bottle", "--seeds", "5"}).status, 0);
  const auto second =
      run({"benchmark", "--config", "first/config.resolved.yaml", "--out", "second"});
  ASSERT_EQ(second.status, 0) << second.err;
  EXPECT_EQ(timeless(results("second", 5)), timeless(results("first", 5)));
  EXPECT_EQ(text_of(path("second/config.resolved.yaml")),
            text_of(path("first/config.resolved.yaml")));
}

TEST_F(Benchmark, EvaluateOnlyTestsAnEarlierRunOtherwise) {
  ASSERT_EQ(benchmark("run").status, 0);
  const auto before = states("run");
  EXPECT_EQ(benchmark("run", {"--pixel-size", "12"}).status, kExitInvalidArgument);
  const auto again = benchmark("run", {"--pixel-size", "12", "--evaluate-only"});
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(states("run"), before);
  EXPECT_THAT(again.err, Not(HasSubstr("features")));
  EXPECT_EQ(read_json(path("run/config.resolved.json"))["pixel_size"], 12);
  EXPECT_EQ(benchmark("none", {"--evaluate-only"}).status, kExitNotFound);
}

TEST_F(Benchmark, ComparesStrategiesOfAMethodThatSharesParameters) {
  const auto run = benchmark("run",
                             {"--strategy", "finetune,ewc", "--set", "ewc.lambda=2", "--tasks",
                              "bottle,cable", "--known-task"},
                             {"--method", "panda", "--set", "network=vit_test", "weights=random:5",
                              "trainable=last_1", "epochs=1", "batch=8"});
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("| finetune | "));
  EXPECT_THAT(run.out, HasSubstr("| ewc | "));
  const auto comparison = read_json(path("run/comparison.json"));
  EXPECT_EQ(comparison["rows"].size(), 2);
  EXPECT_TRUE(fs::exists(path("run/report.html")));
  EXPECT_TRUE(fs::exists(path("run/ewc/report.html")));
  EXPECT_EQ(read_json(path("run/ewc/config.resolved.json"))["strategy_options"]["lambda"], "2");
}

TEST_F(Benchmark, ImagesThatCannotBeReadAreNamedAndLeftOut) {
  write_file_atomic(path("data/cable/test/good/0003.png"), "not an image");
  write_mask(path("data/bottle/ground_truth/bright/0004_mask.png"), 10, 10);
  const auto run = benchmark("run");
  EXPECT_EQ(run.status, kExitSomeFailed) << run.err;
  EXPECT_THAT(run.err, HasSubstr("cable/test/good/0003.png"));
  const auto found = results("run");
  ASSERT_EQ(found["failures"].size(), 2);
  EXPECT_EQ(found["failures"][0]["error"]["code"], "corrupt-data");
  EXPECT_THAT(found["failures"][0]["error"]["message"].get<std::string>(),
              HasSubstr("0004_mask.png: the mask is 10x10 pixels, its image "));
  EXPECT_THAT(found["notes"].dump(), HasSubstr("2 of 60 images could not be judged"));
  const auto lines = predictions(path("run/seed-0/predictions.jsonl"));
  EXPECT_EQ(lines.size(), 6 * kTest);
  EXPECT_THAT(text_of(path("run/seed-0/predictions.csv")), HasSubstr(",corrupt-data,"));

  const auto tested =
      this->run({"test", "--data", "data", "--model", "run/seed-0/model", "--json"});
  EXPECT_EQ(tested.status, kExitSomeFailed);
  EXPECT_EQ(parse_json(tested.out, "test")["final"], found["final"]);
}

TEST_F(Benchmark, ADamagedTrainingImageEndsTheRunAndIsNamed) {
  write_file_atomic(path("data/cable/train/good/0003.png"), "not an image");
  const auto run = benchmark("run");
  EXPECT_EQ(run.status, kExitCorruptData);
  EXPECT_THAT(run.err, HasSubstr("data/cable/train/good/0003.png"));
}

TEST_F(Benchmark, WrongWordsAreAnsweredWithWhatWasMeant) {
  struct Case {
    Words more;
    int status;
    std::string message;
  };
  const std::vector<Case> cases = {
      {{"--method", "routed_memry"},
       kExitNotFound,
       "no method 'routed_memry'; did you mean 'routed_memory'?"},
      {{"--strategy", "ewcc"}, kExitNotFound, "no strategy 'ewcc'; did you mean"},
      {{"--protocol", "mvtec-14-2"},
       kExitInvalidArgument,
       "no protocol 'mvtec-14-2'; did you mean 'mvtec-14-1'?"},
      {{"--layout", "mvtek"}, kExitNotFound, "no layout 'mvtek'; did you mean 'mvtec'?"},
      {{"--tasks", "botle"}, kExitNotFound, "--tasks: no task 'botle'; did you mean 'bottle'?"},
      {{"--tasks", "bottle,,nut"}, kExitInvalidArgument, "--tasks 'bottle,,nut'"},
      {{"--seeds", "0,x"}, kExitInvalidArgument, "--seeds: 'x' is no number"},
      {{"--seeds", "1,1"}, kExitInvalidArgument, "--seeds: 1 stands twice"},
      {{"--set", "ewc.lambda=1"}, kExitInvalidArgument, "no strategy was asked for"},
      {{"--set", "memry_size=1"}, kExitInvalidArgument, "memory_size"},
      {{"--strategy", "ewc"},
       kExitUnsupported,
       "strategy 'ewc' acts on parameters that tasks share"},
      {{"--order", "bottle,bolt"}, kExitInvalidArgument, "bolt"},
      {{"--shots", "50"}, kExitInvalidArgument, "has 20 normals to learn, 50 are asked for"},
      {{"--save", "heatmap"}, kExitInvalidArgument, "'heatmap' is not one of"},
      {{"--mode", "papr"}, kExitUsage, "papr"},
      {{"--know-task"}, kExitUsage, "did you mean --known-task?"}};
  for (const auto& [more, status, message] : cases) {
    Words words = {"benchmark", "--data", "data", "--out", "run"};
    words.insert(words.end(), more.begin(), more.end());
    const auto result = run(words);
    EXPECT_EQ(result.status, status) << message << "\n" << result.err;
    EXPECT_THAT(result.err, HasSubstr(message));
  }
  EXPECT_FALSE(fs::exists(path("run/config.resolved.json")));  // nothing claimed the folder
  const auto missing = run({"benchmark", "--data", "nowhere", "--out", "run"});
  EXPECT_EQ(missing.status, kExitNotFound);
  EXPECT_THAT(missing.err, HasSubstr("nowhere: no such file or folder"));
}

class TestCommand : public Benchmark {
 protected:
  TestCommand() { EXPECT_EQ(benchmark("run", {"--tasks", "bottle,cable"}).status, 0); }
  ProgramResult test(Words more) const {
    Words words = {"test", "--model", "run/seed-0/model"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
};

TEST_F(TestCommand, PrintsATableForPeopleAndWritesNothing) {
  const auto result = test({"--data", "data"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("image AUROC"));
  EXPECT_THAT(result.out, HasSubstr("bottle"));
  EXPECT_THAT(result.out, Not(HasSubstr("nut")));  // the model does not know it
  EXPECT_THAT(result.out, HasSubstr("product recognised"));
}

TEST_F(TestCommand, JudgesAFolderUnderAnotherName) {
  fs::create_directories(path("checked"));
  fs::rename(path("data/cable/test/good"), path("checked/good"));
  fs::rename(path("data/cable/test/bright"), path("checked/bad"));
  const auto stranger = test({"--data", "checked", "--layout", "folder"});
  EXPECT_EQ(stranger.status, kExitInvalidArgument);
  EXPECT_THAT(stranger.err, HasSubstr("have no task in common; the model knows bottle, cable; the "
                                      "data have checked"));
  const auto named = test({"--data", "checked", "--layout", "folder", "--task", "cable", "--json"});
  ASSERT_EQ(named.status, 0) << named.err;
  EXPECT_EQ(parse_json(named.out, "test")["final"]["image_AUROC"]["cable"],
            results("run")["final"]["image_AUROC"]["cable"]);
  EXPECT_THAT(named.out, HasSubstr("the data name no normal test images, so that all are tested"));
  EXPECT_EQ(test({"--data", "checked", "--layout", "folder", "--task", "cabel"}).status,
            kExitNotFound);
  EXPECT_THAT(test({"--data", "data", "--task", "cable"}).err, HasSubstr("the data have 3 tasks"));
}

TEST_F(TestCommand, SavesPicturesWhereItIsTold) {
  EXPECT_THAT(test({"--data", "data", "--save", "map"}).err, HasSubstr("--save needs --out"));
  const auto result =
      test({"--data", "data", "--out", "out", "--save", "map,mask", "--known-task"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("the task was told"));
  const auto lines = predictions(path("out/predictions.jsonl"));
  EXPECT_TRUE(fs::exists(path(lines[0]["map"])));
}

TEST_F(TestCommand, NamesWhatIsNotThere) {
  EXPECT_EQ(test({"--data", "nowhere"}).status, kExitNotFound);
  EXPECT_EQ(run({"test", "--data", "data", "--model", "none"}).status, kExitNotFound);
  EXPECT_EQ(test({}).status, kExitUsage);
}

}  // namespace
}  // namespace cadenza
