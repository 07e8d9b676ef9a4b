#pragma once

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/photos.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_folder.h"
#include <gtest/gtest.h>

#include "cadenza/base/json.h"
#include "cadenza/cli/command.h"
#include "cadenza/cli/config.h"
#include "cadenza/dataset/layout.h"
#include "cadenza/experiment/builtin_parts.h"
#include "cadenza/experiment/runner.h"

namespace cadenza {

/// Two products in MVTec's layout, and one method to run on them: by its commands and whole runs.
class TwoProducts : public testing::Test {
 protected:
  TwoProducts(std::string method, OptionTexts options)
      : method_(std::move(method)), options_(std::move(options)) {
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
        std::filesystem::create_directories(folder);
        write_file_atomic(folder / (cat(10000 + photo).substr(1) + "_mask.png"), encode_png(mask));
      }
    }
  }

  std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }
  ProgramResult run(std::vector<std::string> words) const {
    words.insert(words.begin(), CADENZA_PROGRAM);
    return run_program(words, folder_.path());
  }
  std::vector<std::string> with_options(std::vector<std::string> words) const {
    words.insert(words.end(), {"--method", method_});
    for (const auto& [name, value] : options_) {
      words.insert(words.end(), {"--set", name + "=" + value});
    }
    return words;
  }
  /// results.json of a run in the library.
  Json experiment(const std::string& name, ExperimentSettings settings) const {
    settings.method = method_;
    settings.options.insert(options_.begin(), options_.end());
    run_experiment(settings, read_dataset(path("data")), builtin_parts({}), path(name));
    return read_json(path(name) / "seed-0" / "results.json");
  }
  /// Learns both products and judges all test photos: routes them right, and scores every defect
  /// above every normal of its product. Returns what training said.
  std::string train_and_predict() const {
    std::string said;
    for (const auto* task : {"bottle", "cable"}) {
      const auto trained =
          run(with_options({"train", "--task", task, "--normal", cat("data/", task, "/train/good"),
                            "--model", "line"}));
      EXPECT_EQ(trained.status, 0) << trained.err;
      said += trained.err + trained.out;
    }
    const auto predicted = run({"predict", "data/bottle/test", "data/cable/test", "--model", "line",
                                "--json", "--out", "out", "--save", "map,overlay"});
    EXPECT_EQ(predicted.status, 0) << predicted.err;
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
    EXPECT_TRUE(std::filesystem::exists(path("out") / "overlay"));
    return said;
  }

 private:
  std::string method_;
  OptionTexts options_;
  TemporaryFolder folder_;
};

inline std::string first_value(const ConfigValues& values, const std::string& key) {
  const auto found = values.find(key);
  return found == values.end() || found->second.empty() ? "" : found->second.front();
}

/// The method's options in configs/METHOD/DATA_MODE.yaml, a run over `n_tasks` classes one at a
/// time, all of whose keys the benchmark command knows.
inline OptionTexts options_of_config(const std::string& method, const std::string& data,
                                     const std::string& mode, std::ptrdiff_t n_tasks) {
  const auto file =
      std::filesystem::path(CADENZA_SOURCE) / "configs" / method / cat(data, "_", mode, ".yaml");
  const auto values = read_config(file);
  EXPECT_EQ(first_value(values, "method"), method) << file;
  EXPECT_EQ(first_value(values, "mode"), mode) << file;
  EXPECT_EQ(first_value(values, "layout"), data) << file;
  EXPECT_EQ(first_value(values, "protocol"), "1xN") << file;
  const auto tasks = first_value(values, "tasks");
  EXPECT_EQ(std::ranges::count(tasks, ',') + 1, n_tasks) << file;
  EXPECT_EQ(tasks, first_value(values, "order")) << file;
  const auto commands = builtin_commands();
  if (const auto* benchmark = commands.find("benchmark")) {
    std::set<std::string> known;
    for (const auto& argument : benchmark->all_arguments()) known.insert(argument.option.name);
    for (const auto& [key, unused] : values) EXPECT_TRUE(known.contains(key)) << file << key;
  }
  OptionTexts given;
  for (const auto& text : values.at("set")) {
    const auto sign = text.find('=');
    given[text.substr(0, sign)] = text.substr(sign + 1);
  }
  return given;
}

}  // namespace cadenza
