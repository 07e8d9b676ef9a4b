// UCAD from photographs to results on a ViT of two blocks: commands, whole runs in both modes, and
// the configuration files of the published ones.
#include <algorithm>
#include <set>

#include "tests/support/photos.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_folder.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/base/json.h"
#include "cadenza/cli/command.h"
#include "cadenza/cli/config.h"
#include "cadenza/dataset/layout.h"
#include "cadenza/experiment/builtin_parts.h"
#include "cadenza/experiment/protocol.h"
#include "cadenza/experiment/runner.h"
#include "cadenza/method/ucad/settings.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const OptionTexts kTiny = {{"network", "vit_test"}, {"weights", "random:7"}, {"precision", "f32"},
                           {"tap_block", "1"},      {"epochs", "2"},         {"key_size", "64"},
                           {"memory_size", "64"},   {"basic_size", "128"},   {"sigma", "1"}};

/// Two products in MVTec's layout.
class UcadPath : public testing::Test {
 protected:
  UcadPath() {
    for (const auto& product : {kBottle, kCable}) {
      const auto root = path("data") / product.name;
      write_photos(root / "train" / "good", product, 12);
      write_photos(root / "test" / "good", product, 6, 100);
      write_photos(root / "test" / "bright", product, 6, 200, {.has_defect = true});
      for (int photo = 0; photo < 6; ++photo) {
        Image mask{24, 32, 1, {}};
        for (int y = 0; y < 24; ++y) {
          for (int x = 0; x < 32; ++x) mask.pixels.push_back(y >= 12 && x >= 16 ? 255 : 0);
        }
        const auto folder = root / "ground_truth" / "bright";
        fs::create_directories(folder);
        write_file_atomic(folder / (cat(10000 + photo).substr(1) + "_mask.png"), encode_png(mask));
      }
    }
  }

  fs::path path(const std::string& name) const { return folder_.path() / name; }
  ProgramResult run(std::vector<std::string> words) const {
    words.insert(words.begin(), CADENZA_PROGRAM);
    return run_program(words, folder_.path());
  }
  static std::vector<std::string> with_options(std::vector<std::string> words) {
    words.insert(words.end(), {"--method", "ucad"});
    for (const auto& [name, value] : kTiny)
      words.insert(words.end(), {"--set", name + "=" + value});
    return words;
  }
  Json experiment(const std::string& name, ExperimentSettings settings) const {
    settings.method = "ucad";
    settings.options.insert(kTiny.begin(), kTiny.end());
    run_experiment(settings, read_dataset(path("data")), builtin_parts({}), path(name));
    return read_json(path(name) / "seed-0" / "results.json");
  }

  TemporaryFolder folder_;
};

TEST_F(UcadPath, TrainAndPredict) {
  for (const auto* task : {"bottle", "cable"}) {
    const auto trained = run(with_options({"train", "--task", task, "--normal",
                                           cat("data/", task, "/train/good"), "--model", "line"}));
    ASSERT_EQ(trained.status, 0) << trained.err;
    EXPECT_THAT(trained.err + trained.out, HasSubstr("felzenszwalb"));  // no weights of SAM here
  }
  const auto predicted = run({"predict", "data/bottle/test", "data/cable/test", "--model", "line",
                              "--json", "--out", "out", "--save", "map,overlay"});
  ASSERT_EQ(predicted.status, 0) << predicted.err;
  std::istringstream lines(predicted.out);
  int n_lines = 0;
  std::map<std::string, double> lowest_defect, highest_normal;
  for (std::string line; std::getline(lines, line); ++n_lines) {
    const auto verdict = parse_json(line, "line");
    const auto file = verdict["file"].get<std::string>();
    const std::string task = file.find("bottle") == std::string::npos ? "cable" : "bottle";
    EXPECT_EQ(verdict["task"], task) << file;
    const double score = verdict["score"];
    if (file.find("bright") != std::string::npos) {
      const auto found = lowest_defect.try_emplace(task, score).first;
      found->second = std::min(found->second, score);
    } else {
      highest_normal[task] = std::max(highest_normal[task], score);
    }
  }
  EXPECT_EQ(n_lines, 24);
  for (const auto* task : {"bottle", "cable"}) {
    EXPECT_GT(lowest_defect[task], highest_normal[task]) << task;
  }
  EXPECT_TRUE(fs::exists(path("out") / "overlay"));
}

TEST_F(UcadPath, AnHonestRunForgetsNothing) {
  const auto results = experiment("honest", {});
  EXPECT_FALSE(results["test_selected"].get<bool>());
  EXPECT_FALSE(results.contains("epoch_ensemble"));
  EXPECT_GT(results["final"]["image_AUROC"]["mean"], 0.9);
  EXPECT_GT(results["final"]["pixel_AUPR"]["mean"], 0.3);
  EXPECT_EQ(results["continual"]["image_AUROC"]["forgetting"], 0);
  EXPECT_EQ(results["routing"]["accuracy"], 1);
  EXPECT_TRUE(results["continual"]["image_AUROC"]["memory_gap"].is_number());
  EXPECT_LT(results["bytes"]["state_per_task"][0], 1'640'000);
  EXPECT_THAT(results["network"]["name"].dump(), HasSubstr("vit_test"));
}

TEST_F(UcadPath, APaperRunJoinsEpochsAndSaysSo) {
  ExperimentSettings settings{.mode = RunMode::kPaper, .known_task = true};
  settings.options = {{"compat", "true"}};
  const auto results = experiment("paper", settings);
  EXPECT_TRUE(results["test_selected"].get<bool>());
  const auto& joined = results["epoch_ensemble"];
  EXPECT_GT(joined["image_AUROC"]["mean"], 0.9);
  EXPECT_TRUE(joined["pixel_AUPR"]["bottle"].is_number());
  EXPECT_GE(joined["epoch"]["cable"], 1);
  EXPECT_TRUE(joined.contains("memory_gap"));
  EXPECT_THAT(results["notes"].dump(), HasSubstr("epoch_ensemble: test-selected"));
  EXPECT_THAT(results["notes"].dump(), HasSubstr("oracle: the task was told"));
}

TEST_F(UcadPath, ASharedPromptRunsUnderAStrategy) {
  ExperimentSettings settings{.strategy = "ewc"};
  settings.options = {{"shared_prompt", "true"}, {"structure", "grid"}};
  const auto results = experiment("ewc", settings);
  EXPECT_EQ(results["strategy"], "ewc");
  EXPECT_TRUE(results["continual"]["image_AUROC"]["forgetting"].is_number());
}

TEST_F(UcadPath, TheBenchmarkCommandRunsIt) {
  const auto commands = builtin_commands().names();
  if (std::ranges::count(commands, "benchmark") == 0) GTEST_SKIP() << "no benchmark command";
  const auto result = run(with_options(
      {"benchmark", "--data", "data", "--protocol", "1xN", "--out", "run", "--save", "overlay"}));
  ASSERT_EQ(result.status, 0) << result.err;
  const auto summary = read_json(path("run") / "summary.json");
  EXPECT_GT(summary["final"]["image_AUROC"]["mean"]["mean"], 0.9);
}

std::string one(const ConfigValues& values, const std::string& key) {
  const auto found = values.find(key);
  return found == values.end() || found->second.empty() ? "" : found->second.front();
}

TEST(UcadConfigurations, OfThePaperAreWhatTheMethodTakes) {
  const std::map<std::string, std::ptrdiff_t> n_tasks = {{"mvtec", 15}, {"visa", 12}};
  for (const auto& [data, n] : n_tasks) {
    for (const auto* mode : {"paper", "honest"}) {
      const auto file =
          fs::path(CADENZA_SOURCE) / "configs" / "ucad" / cat(data, "_", mode, ".yaml");
      const auto values = read_config(file);
      EXPECT_EQ(one(values, "method"), "ucad") << file;
      EXPECT_EQ(one(values, "mode"), mode) << file;
      EXPECT_EQ(one(values, "layout"), data) << file;
      const auto tasks = one(values, "tasks");
      EXPECT_EQ(std::ranges::count(tasks, ',') + 1, n) << file;
      EXPECT_EQ(tasks, one(values, "order")) << file;
      OptionTexts given;
      for (const auto& text : values.at("set")) {
        const auto sign = text.find('=');
        given[text.substr(0, sign)] = text.substr(sign + 1);
      }
      const auto table = ucad_options();
      const Options options("method 'ucad'", table, given);
      const auto settings =
          read_ucad_settings(options, builtin_networks().find("vit_base_patch16"));
      EXPECT_EQ(settings.epochs, 25);
      EXPECT_EQ(settings.n_blocks, 6);
      EXPECT_EQ(settings.compat, mode == std::string("paper")) << file;
      EXPECT_EQ(settings.basic_size, settings.compat ? 1960 : 0) << file;

      const auto commands = builtin_commands();
      const auto* benchmark = commands.find("benchmark");
      if (benchmark == nullptr) continue;
      std::set<std::string> known;
      for (const auto& argument : benchmark->all_arguments()) known.insert(argument.option.name);
      for (const auto& [key, unused] : values) EXPECT_TRUE(known.contains(key)) << file << key;
    }
  }
}

}  // namespace
}  // namespace cadenza
